import { expect, test } from 'vitest';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import { testDatabase } from '../support/postgres.ts';

test('two test databases of one schema share nothing', async () => {
  await using one = await testDatabase('config');
  await using two = await testDatabase('config');
  await one.database.query('create table only_here (id int)');
  const { rows } = await two.database.query<{ found: boolean }>(
    "select to_regclass('only_here') is not null as found",
  );
  expect(rows).toEqual([{ found: false }]);
});

test('a test database that is left with an open connection says whose it is', async () => {
  const db = await testDatabase('empty');
  await using other = openDatabase({ url: db.url, applicationName: 'forgotten' });
  await other.query('select 42');
  await expect(db[Symbol.asyncDispose]()).rejects.toThrow(/forgotten \(idle\): select 42/);
});
