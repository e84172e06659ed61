import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { serverProcesses } from '../../services/platform/embedded-postgres/process.ts';
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

test('a test run that is killed leaves neither a server nor files', async () => {
  const program = join(import.meta.dirname, '../support/programs/test-server.ts');
  const run = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [dataDir] = await once(run.stderr.setEncoding('utf8'), 'data');
  expect(serverProcesses(join(dataDir, 'pgdata'))).not.toEqual([]);
  run.kill('SIGKILL');
  await expect.poll(() => existsSync(dirname(dataDir)), { timeout: 20_000 }).toBe(false);
  expect(serverProcesses(join(dataDir, 'pgdata'))).toEqual([]);
});
