import type { KeyRange } from '../../protocol/scope.ts';
import type { Table } from '../../model/table.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';
import { columnsOf } from '../tables.ts';

/** COPY takes no parameters, so the server itself quotes the keys into the statement. */
export async function copyOutSql(
  queryable: Queryable,
  table: Table,
  range: KeyRange | null,
): Promise<string> {
  const columns = columnsOf(table).join(', ');
  if (!range) return `copy ${table.name} (${columns}) to stdout`;
  const { rows } = await queryable.query<{ condition: string }>(
    `select concat_ws(' and ', 'true',
       case when $1::text is not null then format('${table.key} >= %L', $1) end,
       case when $2::text is not null then format('${table.key} < %L', $2) end) as condition`,
    [range.from, range.to],
  );
  return `copy (select ${columns} from ${table.name} where ${rows[0]?.condition}) to stdout`;
}
