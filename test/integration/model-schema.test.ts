import { expect, it } from 'vitest';
import { configurationLog, registrationLog } from '../../services/log/definition.ts';
import type { Table } from '../../services/model/table.ts';
import type { Queryable } from '../../services/platform/postgres/database.ts';
import { testDatabase } from '../support/postgres.ts';

const dataTypes = { text: 'text', integer: /^(integer|bigint)$/, boolean: 'boolean', list: 'jsonb' } as const;

async function expectTables(admin: Queryable, schema: string, tables: readonly Table[]): Promise<void> {
  for (const table of tables) {
    const { rows } = await admin.query<{ name: string; type: string; nullable: boolean }>(
      `select column_name as name, data_type as type, is_nullable = 'YES' as nullable
       from information_schema.columns where table_schema = $1 and table_name = $2 order by ordinal_position`,
      [schema, table.name],
    );
    expect(rows, table.name).toEqual([
      ...table.columns.map(({ name, type, nullable }) => ({
        name,
        type: typeof dataTypes[type] === 'string' ? dataTypes[type] : expect.stringMatching(dataTypes[type]),
        nullable,
      })),
      { name: 'seq', type: 'bigint', nullable: false },
    ]);
  }
}

it('the migrated configuration has exactly the tables and columns of the model', async () => {
  await using home = await testDatabase('config');
  await expectTables(home.database, 'public', configurationLog.tables);
});

it.each(['own', 'peer_c2'])(
  'the registrations in schema %s are exactly those of the model',
  async (schema) => {
    await using shared = await testDatabase('shared');
    await expectTables(shared.database, schema, registrationLog.tables);
  },
);
