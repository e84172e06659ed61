import type { FieldType, FieldValue } from './field.ts';

export type Column = { readonly name: string; readonly type: FieldType; readonly nullable: boolean };

/**
 * A table that a log's events fold into. Its first column is the key (text, collation C); the
 * column `seq` (the event that last changed the row) is common to all and not listed.
 */
export type Table = { readonly name: string; readonly key: string; readonly columns: readonly Column[] };

export type Row = Readonly<Record<string, FieldValue>>;

/** What a run of events does to one table: at most one entry a key, the last one. */
export type TableChange = {
  readonly table: Table;
  readonly upserts: readonly { readonly row: Row; readonly seq: number }[];
  readonly deletes: readonly string[];
};
