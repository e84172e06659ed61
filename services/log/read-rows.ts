import type { Row, Table } from '../model/table.ts';
import { textArray } from '../platform/postgres/binary-array.ts';
import type { Queryable, Statement } from '../platform/postgres/statement.ts';
import type { RowsWanted } from './planner.ts';
import { RowVersions } from './row-versions.ts';

/** Reads the rows wanted, with one statement a table. Those that do not exist are left out. */
export async function readRows(queryable: Queryable, wanted: readonly RowsWanted[]): Promise<RowVersions> {
  const keysOf = Map.groupBy(wanted, ({ table }) => table);
  const versions = new RowVersions();
  await Promise.all(
    [...keysOf].map(async ([table, parts]) => {
      const keys = parts.length === 1 && parts[0] ? parts[0].keys : parts.flatMap((part) => part.keys);
      const { rows } = await queryable.query<Row & { seq: number }>(rowsStatement(table, keys));
      for (const row of rows) versions.put(table, String(row[table.key]), { row, seq: row.seq });
    }),
  );
  return versions;
}

function rowsStatement(table: Table, keys: readonly string[]): Statement {
  const columns = table.columns.map(({ name }) => name).join(', ');
  return {
    name: `${table.name}.rows`,
    text: `select ${columns}, seq from ${table.name} where ${table.key} = any($1::text[])`,
    values: [textArray(keys)],
  };
}
