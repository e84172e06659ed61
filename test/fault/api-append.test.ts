import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { migrations as configMigrations } from '../../migrations/config/index.ts';
import { migrations as sharedMigrations } from '../../migrations/shared/index.ts';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import { migrate } from '../../services/platform/postgres/migrate.ts';
import type { ApiConfig } from '../../services/protocol/program-config.ts';
import { importLineSchema } from '../../services/protocol/rest/import.ts';
import { apiConfig, apiDatabases, testApi, tokenOf } from '../support/api.ts';
import { expectLogToHold } from '../support/check-log.ts';
import { ChildProgram } from '../support/child-program.ts';
import { NdjsonRequest } from '../support/ndjson-client.ts';
import { NumberChanges } from '../support/number-changes.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { testServer } from '../support/test-server.ts';

const main = new URL('../../services/api/main.ts', import.meta.url).pathname;

/** Starts the api as a process of its own and waits until it serves. */
async function startProcess(config: ApiConfig, failpoint = ''): Promise<ChildProgram> {
  const file = `${config.dataDir}/api.json`;
  await writeFile(file, JSON.stringify({ ...config, logLevel: 'info' }));
  const child = new ChildProgram(main, { args: ['--config', file], env: { DUALHOME_FAILPOINT: failpoint } });
  await child.saw('"serving"');
  return child;
}

const urlOf = ({ listen }: ApiConfig): string => `http://${listen.host}:${listen.port}`;

describe('appending to the log, when things die', () => {
  it.each(['append.before-commit', 'append.after-commit'])(
    'a kill at %s loses no change that was answered and makes none twice',
    async (point) => {
      await using databases = await apiDatabases();
      await using directory = await TemporaryDirectory.create();
      const config = await apiConfig(directory.path, {
        home: databases.home.url,
        shared: databases.shared.url,
      });
      const answered = [];
      for (const [round, hit] of [3, 20, 57].entries()) {
        await using child = await startProcess(config, `${point}=kill@${hit}`);
        const changes = new NumberChanges(urlOf(config), { from: (round + 1) * 100_000 });
        await changes.ended();
        expect(await child.exit()).toMatchObject({ signal: 'SIGKILL' });
        expect(changes.refused).toEqual([]);
        answered.push(...changes.answered);
        await expectLogToHold(databases.home.database, answered);
      }
      expect(answered.length).toBeGreaterThan(70);
      await using _survivor = await startProcess(config);
      const after = new NumberChanges(urlOf(config), { from: 900_000 });
      await after.reached(50);
      await after.stop();
      await expectLogToHold(databases.home.database, [...answered, ...after.answered]);
    },
  );

  it('backends that are ended, again and again, are noticed by nobody', async () => {
    await using api = await testApi();
    const changes = new NumberChanges(api.url);
    for (let round = 1; round <= 10; round += 1) {
      await changes.reached(round * 40);
      await api.home.database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name like 'dualhome api%'`,
      );
    }
    await changes.reached(450);
    await changes.stop();
    expect(changes.refused).toEqual([]);
    await expectLogToHold(api.home.database, changes.answered);
  });

  it('a connection cut at any byte leaves no outcome open', async () => {
    await using databases = await apiDatabases();
    const { hostname, port } = new URL(databases.home.url);
    await using proxy = await TcpProxy.listen({ target: { host: hostname, port: Number(port) } });
    const home = new URL(databases.home.url);
    home.port = String(proxy.address.port);
    await using api = await testApi(databases, {
      databases: { home: home.href, shared: databases.shared.url },
    });
    const changes = new NumberChanges(api.url);
    for (let round = 1; round <= 24; round += 1) {
      await changes.reached(round * 20);
      proxy.cutAfter(round * 131, round % 2 === 0 ? 'up' : 'down', round % 3 === 0 ? 'fin' : 'rst');
    }
    await changes.reached(520);
    await changes.stop();
    expect(changes.refused).toEqual([]);
    await expectLogToHold(databases.home.database, changes.answered);
  });

  it('a postmaster that is killed and started again is waited for', async () => {
    await using server = await testServer();
    {
      await using admin = openDatabase({ url: server.url('postgres'), applicationName: 'test' });
      await admin.query('create database home');
      await admin.query('create database shared');
    }
    const urls = { home: server.url('home'), shared: server.url('shared') };
    await migrate({ url: urls.home, migrations: configMigrations, applicationName: 'test' });
    await migrate({ url: urls.shared, migrations: sharedMigrations, applicationName: 'test' });
    await using directory = await TemporaryDirectory.create();
    const config = await apiConfig(directory.path, urls);
    await using _child = await startProcess(config);
    const changes = new NumberChanges(urlOf(config));
    for (let round = 1; round <= 3; round += 1) {
      await changes.reached(round * 60);
      await server.kill();
      await server.start();
    }
    await changes.reached(250);
    await changes.stop();
    expect(changes.refused).toEqual([]);
    await using home = openDatabase({ url: urls.home, applicationName: 'test' });
    await expectLogToHold(home, changes.answered);
  });

  it('an import that is killed goes on from the line it had told', async () => {
    await using databases = await apiDatabases();
    await using directory = await TemporaryDirectory.create();
    const config = await apiConfig(directory.path, {
      home: databases.home.url,
      shared: databases.shared.url,
    });
    const text = `number,aor\n${Array.from({ length: 5_000 }, (_, i) => `+49${100_000 + i},a@c1.example\n`).join('')}`;
    const importFrom = async (line: number) => {
      const url = `${urlOf(config)}/v1/import/number?batch_rows=100&from_line=${line}`;
      using stream = new NdjsonRequest(url, tokenOf('operator'), 'text/csv');
      stream.write(text);
      stream.end();
      const told = [];
      for (;;) {
        const answer = await stream.next().catch(() => undefined);
        if (answer === undefined) return told;
        told.push(importLineSchema.parse(answer));
      }
    };
    const line = await killedImport(config, importFrom);
    await using _child = await startProcess(config);
    const done = (await importFrom(line + 1)).at(-1);
    expect(done).toMatchObject({ type: 'done', ok: true, line: 5_001 });
    const { rows } = await databases.home.database.query<{ n: number }>(
      'select count(*)::int as n from numbers',
    );
    expect(rows[0]?.n).toBe(5_000);
    await expectLogToHold(databases.home.database, []);
  });
});

/** Imports until the api kills itself; returns the last line it told to be durable. */
async function killedImport(
  config: ApiConfig,
  importFrom: (line: number) => Promise<readonly { readonly type: string; readonly line: number }[]>,
): Promise<number> {
  await using child = await startProcess(config, 'append.after-commit=kill@12');
  const told = await importFrom(1);
  expect(await child.exit()).toMatchObject({ signal: 'SIGKILL' });
  expect(told.every(({ type }) => type === 'progress')).toBe(true);
  return told.at(-1)?.line ?? 0;
}
