import type { Table } from '../model/table.ts';

/** All columns of a table, its key first and `seq` last. */
export function columnsOf(table: Table): readonly string[] {
  return [...table.columns.map(({ name }) => name), 'seq'];
}
