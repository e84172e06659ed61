import { expect, it } from 'vitest';
import { kinds } from '../../services/model/kinds.ts';
import { incarnationsTable } from '../../services/model/incarnations.ts';
import { testDatabase } from '../support/postgres.ts';

const dataTypes = { text: 'text', integer: /^(integer|bigint)$/, boolean: 'boolean', list: 'jsonb' } as const;

it('the migrated schema has exactly the tables and columns of the model', async () => {
  await using home = await testDatabase('config');
  for (const table of [...kinds.map((kind) => kind.table), incarnationsTable]) {
    const { rows } = await home.database.query<{ name: string; type: string; nullable: boolean }>(
      `select column_name as name, data_type as type, is_nullable = 'YES' as nullable
       from information_schema.columns where table_schema = 'public' and table_name = $1 order by ordinal_position`,
      [table.name],
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
});
