import type { FieldType } from '../model/field.ts';
import type { Table } from '../model/table.ts';
import type { Session } from '../platform/postgres/database.ts';
import { columnsOf } from './tables.ts';

/** The schema of a connection's temporary tables, which are gone when it closes, whatever happens. */
export const scratch = 'pg_temp';

const typeOf: Record<FieldType, string> = {
  text: 'text',
  integer: 'bigint',
  boolean: 'boolean',
  list: 'jsonb',
};

/** Makes empty temporary tables with the columns of the model. */
export async function createScratch(session: Session, tables: readonly Table[]): Promise<void> {
  for (const { name, key, columns } of tables) {
    const definitions = columns.map((column) =>
      column.name === key
        ? `${column.name} text collate "C" primary key`
        : `${column.name} ${typeOf[column.type]}${column.nullable ? '' : ' not null'}`,
    );
    await session.query(`create temporary table ${name} (${definitions.join(', ')}, seq bigint not null)`);
  }
}

export type ScratchRow = Readonly<Record<string, unknown>>;

const pageRows = 1000;

/** Rows of a table in the order of their keys, a page at a time. */
export async function* scratchRows(session: Session, table: Table): AsyncGenerator<ScratchRow> {
  for (let after: string | null = null; ;) {
    const { rows }: { readonly rows: readonly ScratchRow[] } = await session.query<ScratchRow>(
      `select ${columnsOf(table).join(', ')} from ${scratch}.${table.name}
       where $1::text is null or ${table.key} > $1 order by ${table.key} limit ${pageRows}`,
      [after],
    );
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < pageRows) return;
    after = String(last[table.key]);
  }
}
