import { z } from 'zod';
import type { Field, FieldValue } from './field.ts';
import type { Row, Table } from './table.ts';

export type Fields = Readonly<Record<string, Field>>;

/**
 * One configuration kind. Table, REST body, CSV header, events and snapshots derive from `fields`,
 * whose order is the order everywhere. The first field is the key.
 */
export type Kind = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly fields: Fields;
  readonly key: string;
  /** A complete row as a caller gives it; fields left out get their defaults. */
  readonly schema: z.ZodType<Row>;
  readonly table: Table;
};

/** The row type of a kind's fields. */
export type RowOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

export function defineKind<const F extends Fields>(definition: {
  readonly name: string;
  readonly table: string;
  readonly title: string;
  readonly description: string;
  readonly fields: F;
}): Kind & { readonly fields: F; readonly schema: z.ZodType<RowOf<F> & Row> } {
  const { name, table, title, description, fields } = definition;
  const names = Object.keys(fields);
  const [key = ''] = names;
  const columns = Object.entries(fields).map(([column, { type, nullable }]) => ({
    name: column,
    type,
    nullable,
  }));
  const shape = Object.fromEntries(Object.entries(fields).map(([field, { schema }]) => [field, schema]));
  const schema = z.strictObject(shape).meta({ title, description }) as unknown as z.ZodType<RowOf<F> & Row>;
  return { name, title, description, fields, key, schema, table: { name: table, key, columns } };
}

/** The row as it stands in events: fields in schema order, those without a value left out. */
export function compactRow(kind: Kind, row: Row): Record<string, FieldValue> {
  const compact: Record<string, FieldValue> = {};
  for (const field of Object.keys(kind.fields)) {
    const value = row[field];
    if (value !== null && value !== undefined) compact[field] = value;
  }
  return compact;
}

/** The key of a row of this kind. */
export function keyOf(kind: Kind, row: Row): string {
  return String(row[kind.key]);
}
