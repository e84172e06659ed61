import { expect, test } from 'vitest';
import { migrate } from '../../services/platform/postgres/migrate.ts';
import type { Migration } from '../../services/platform/postgres/migrate.ts';
import { testDatabase } from '../support/postgres.ts';

const step = (name: string, sql: string): Migration => ({
  name,
  up: async (knex) => {
    await knex.raw(sql);
  },
});

const first = step('0001-first', 'create table first (id int); select pg_sleep(0.1)');
const second = step('0002-second', 'create table second (id int)');
const broken = step('0003-broken', 'create table third (id int); select 1/0');
const applicationName = 'test';

test('of several that migrate at one time each step is taken once', async () => {
  await using db = await testDatabase('empty');
  const options = { url: db.url, migrations: [first, second], applicationName };
  const taken = await Promise.all([migrate(options), migrate(options), migrate(options)]);
  expect(taken.toSorted((a, b) => b.length - a.length)).toEqual([['0001-first', '0002-second'], [], []]);
});

test('later steps are added to earlier ones', async () => {
  await using db = await testDatabase('empty');
  expect(await migrate({ url: db.url, migrations: [first], applicationName })).toEqual(['0001-first']);
  expect(await migrate({ url: db.url, migrations: [first, second], applicationName })).toEqual([
    '0002-second',
  ]);
});

test('a step that fails takes the steps of the same run along', async () => {
  await using db = await testDatabase('empty');
  const migrations = [first, broken];
  await expect(migrate({ url: db.url, migrations, applicationName })).rejects.toThrow(/division by zero/);
  const { rows } = await db.database.query(
    "select to_regclass('first') as first, to_regclass('third') as third",
  );
  expect(rows).toEqual([{ first: null, third: null }]);
  expect(await migrate({ url: db.url, migrations: [first], applicationName })).toEqual(['0001-first']);
});

test('what a killed migrator left locked does not stop the next one', async () => {
  await using db = await testDatabase('empty');
  await migrate({ url: db.url, migrations: [first], applicationName });
  await db.database.query('update knex_migrations_lock set is_locked = 1');
  expect(await migrate({ url: db.url, migrations: [first, second], applicationName })).toEqual([
    '0002-second',
  ]);
});

test('a database migrated by a newer version is refused', async () => {
  await using db = await testDatabase('empty');
  await migrate({ url: db.url, migrations: [first, second], applicationName });
  await expect(migrate({ url: db.url, migrations: [first], applicationName })).rejects.toThrow(/0002-second/);
});
