import type { Row, Table, TableChange } from '../model/table.ts';

/** A row as the event `seq` left it; null where that event deleted it. */
export type RowVersion = { readonly row: Row | null; readonly seq: number };

/** One version of each row it knows, the last one put. */
export class RowVersions {
  readonly #tables = new Map<Table, Map<string, RowVersion>>();

  put(table: Table, key: string, version: RowVersion): void {
    let versions = this.#tables.get(table);
    if (!versions) this.#tables.set(table, (versions = new Map()));
    versions.set(key, version);
  }

  get(table: Table, key: string): RowVersion | undefined {
    return this.#tables.get(table)?.get(key);
  }

  /** What brings the tables to these versions. */
  changes(): readonly TableChange[] {
    return [...this.#tables].map(([table, versions]) => ({
      table,
      upserts: [...versions.values()].flatMap(({ row, seq }) => (row === null ? [] : [{ row, seq }])),
      deletes: [...versions].flatMap(([key, { row }]) => (row === null ? [key] : [])),
    }));
  }
}
