import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseOperatingUser } from '../../services/platform/embedded-postgres/operating-user.ts';
import { serverProcesses } from '../../services/platform/embedded-postgres/process.ts';
import { startEmbeddedPostgres } from '../../services/platform/embedded-postgres/server.ts';
import type {
  EmbeddedPostgres,
  EmbeddedPostgresOptions,
} from '../../services/platform/embedded-postgres/server.ts';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import type { Result } from '../../services/platform/postgres/database.ts';
import { copyCluster } from '../support/cluster-template.ts';
import { freePort } from '../support/free-port.ts';
import { testServer } from '../support/test-server.ts';

const isRoot = process.getuid?.() === 0;

async function ask<R>(server: Pick<EmbeddedPostgres, 'url'>, sql: string): Promise<Result<R>> {
  await using database = openDatabase({ url: server.url('postgres'), applicationName: 'test', poolMax: 1 });
  return await database.query<R>(sql);
}

type Place = AsyncDisposable & { readonly dir: string; readonly options: EmbeddedPostgresOptions };

/** A directory for one server, with a cluster in it. */
async function place(): Promise<Place> {
  const here = await emptyPlace();
  await copyCluster(here.options.dataDir, here.options.superuserPassword);
  return here;
}

/** A directory for one server, whose cluster is made by its first start. */
async function emptyPlace(): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'dualhome-test-'));
  await chmod(dir, 0o711);
  const options = {
    dataDir: join(dir, 'data'),
    port: await freePort(),
    superuserPassword: "it's / @secret",
    settings: { fsync: 'off' },
    runtimeDir: join(dir, 'runtime'),
  };
  return {
    dir,
    options,
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true });
    },
  };
}

test('a server keeps its data and its identity over stop and start', async () => {
  await using server = await testServer({ durable: true });
  const { systemIdentifier } = server.server;
  await ask(server, 'create table kept as select 1 as id');
  await server.stop();
  await server.start();
  expect(await ask(server, 'select id from kept')).toMatchObject({ rows: [{ id: 1 }] });
  expect(server.server.systemIdentifier).toBe(systemIdentifier);
});

test('a killed server says so, recovers what was committed, and keeps its port', async () => {
  await using server = await testServer({ durable: true });
  const { port } = server.server;
  await ask(server, 'create table kept as select generate_series(1, 1000) as id');
  process.kill(server.server.pid, 'SIGKILL');
  expect(await server.server.exited).toMatchObject({ signal: 'SIGKILL' });
  await server.start();
  expect(await ask(server, 'select count(*) as rows from kept')).toMatchObject({ rows: [{ rows: 1000 }] });
  expect(server.server.port).toBe(port);
});

test('a backend that outlives its killed server does not prevent the next start', async () => {
  await using server = await testServer();
  await using database = openDatabase({ url: server.url('postgres'), applicationName: 'busy' });
  const busy = database.query(
    "do $$ begin perform set_config('application_name', 'spinning', false); loop end loop; end $$",
  );
  const outcome = busy.catch((error: unknown) => error);
  await expect
    .poll(() => ask(server, "select from pg_stat_activity where application_name = 'spinning'"), {
      timeout: 20_000,
    })
    .toMatchObject({ rowCount: 1 });
  await server.kill();
  await server.start();
  expect(await outcome).toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
  expect(await ask(server, 'select 1 as one')).toMatchObject({ rows: [{ one: 1 }] });
});

test('a stop ends sessions that are in the middle of a transaction', async () => {
  await using server = await testServer();
  await using database = openDatabase({ url: server.url('postgres'), applicationName: 'test' });
  await using session = await database.session();
  await session.query('begin');
  await server.stop();
  await expect(session.query('select 1')).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
});

test('each data directory has an identity of its own, and an emptied one gets another', async () => {
  await using here = await emptyPlace();
  const seen = new Set<string>();
  for (const name of ['one', 'two', 'one']) {
    const dataDir = join(here.dir, name);
    await rm(dataDir, { recursive: true, force: true });
    await using server = await startEmbeddedPostgres({ ...here.options, dataDir });
    seen.add(server.systemIdentifier);
  }
  expect(seen.size).toBe(3);
});

test('texts are UTF-8 in code point order, times UTC, and no password travels in clear', async () => {
  await using server = await testServer();
  const { rows } = await ask(
    server,
    `select current_setting('server_encoding') as encoding, current_setting('TimeZone') as zone,
            datlocprovider as provider, datlocale as locale, 'Z' < 'a' as code_point_order,
            (select bool_and(auth_method = 'scram-sha-256') from pg_hba_file_rules) as scram
     from pg_database where datname = 'postgres'`,
  );
  expect(rows).toEqual([
    { encoding: 'UTF8', zone: 'UTC', provider: 'b', locale: 'C.UTF-8', code_point_order: true, scram: true },
  ]);
});

test('a server left behind by a killed process is adopted with its sessions', async () => {
  await using here = await place();
  const pid = await startAndKillParent(here.options);
  await using server = await startEmbeddedPostgres(here.options);
  expect(server).toMatchObject({ pid, adopted: true });
  await server.stop();
  await server.exited;
  expect(serverProcesses(join(server.dataDir, 'pgdata'))).toEqual([]);
});

test('a server left behind with other settings is restarted', async () => {
  await using here = await place();
  const pid = await startAndKillParent(here.options);
  await using server = await startEmbeddedPostgres({
    ...here.options,
    settings: { fsync: 'off', work_mem: '5MB' },
  });
  expect(server.adopted).toBe(false);
  expect(server.pid).not.toBe(pid);
  expect(await ask(server, 'show work_mem')).toMatchObject({ rows: [{ work_mem: '5MB' }] });
});

async function startAndKillParent(options: EmbeddedPostgresOptions): Promise<number> {
  const program = join(import.meta.dirname, '../support/programs/postgres-server.ts');
  const parent = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(parent, 'exit');
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  parent.kill('SIGKILL');
  await exited;
  return Number(line.toString());
}

test('a server that is looked after is not taken over', async () => {
  await using here = await place();
  await using server = await startEmbeddedPostgres(here.options);
  await expect(startEmbeddedPostgres(here.options)).rejects.toMatchObject({ code: 'POSTGRES_IN_USE' });
  expect(await ask(server, 'select 1 as one')).toMatchObject({ rows: [{ one: 1 }] });
});

test('a pid file whose number now belongs to another process does not prevent the start', async () => {
  await using here = await place();
  const first = await startEmbeddedPostgres(here.options);
  const pidFile = join(first.dataDir, 'pgdata', 'postmaster.pid');
  const text = readFileSync(pidFile, 'utf8');
  await first.stop();
  const { uid, gid } = chooseOperatingUser(join(first.dataDir, 'pgdata'));
  const stranger = spawn('sleep', ['1000'], { stdio: 'ignore', ...(isRoot && { uid, gid }) });
  try {
    await writeFile(pidFile, text.replace(/^\d+/, String(stranger.pid)));
    await using server = await startEmbeddedPostgres(here.options);
    expect(server.adopted).toBe(false);
  } finally {
    stranger.kill();
  }
});

test('a taken port is an error of its own and leaves nothing running', async () => {
  await using here = await place();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  try {
    await expect(startEmbeddedPostgres({ ...here.options, port })).rejects.toMatchObject({
      code: 'POSTGRES_PORT_TAKEN',
    });
  } finally {
    other.close();
  }
  await using server = await startEmbeddedPostgres(here.options);
  expect(server.adopted).toBe(false);
});

test('a server that cannot start is reported with the end of its log', async () => {
  await using here = await place();
  const settings = { max_connections: 'many' };
  await expect(startEmbeddedPostgres({ ...here.options, settings })).rejects.toMatchObject({
    code: 'POSTGRES_START_FAILED',
    detail: expect.stringContaining('invalid value for parameter "max_connections": "many"'),
  });
});

test('another password than the one the data was made with is refused, and the server stopped', async () => {
  await using here = await place();
  await (await startEmbeddedPostgres(here.options)).stop();
  await expect(startEmbeddedPostgres({ ...here.options, superuserPassword: 'wrong' })).rejects.toMatchObject({
    code: 'POSTGRES_REFUSED',
  });
  await using server = await startEmbeddedPostgres(here.options);
  expect(server.adopted).toBe(false);
});

test('an initialisation that was cut off is begun again', async () => {
  await using here = await emptyPlace();
  await mkdir(join(here.options.dataDir, 'pgdata.new'), { recursive: true });
  await writeFile(join(here.options.dataDir, 'pgdata.new', 'PG_VERSION'), '18\n');
  await using server = await startEmbeddedPostgres(here.options);
  expect(await ask(server, 'select 1 as one')).toMatchObject({ rows: [{ one: 1 }] });
});

test('data of another major version is refused', async () => {
  await using here = await emptyPlace();
  await mkdir(join(here.options.dataDir, 'pgdata'), { recursive: true });
  await writeFile(join(here.options.dataDir, 'pgdata', 'PG_VERSION'), '15\n');
  await expect(startEmbeddedPostgres(here.options)).rejects.toMatchObject({
    code: 'POSTGRES_DATA_DIRECTORY',
    facts: { found: '15' },
  });
});

test('a server starts under umask 077, in a process group of its own, as nice as asked', async () => {
  await using here = await place();
  const umask = process.umask(0o077);
  try {
    const dataDir = join(here.dir, 'some', 'where', 'deep');
    await using server = await startEmbeddedPostgres({ ...here.options, dataDir, niceness: 5 });
    const stat = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(' ');
    expect(Number(stat[4])).toBe(server.pid);
    const { rows } = await ask<{ pid: number }>(server, 'select pid from pg_stat_activity');
    expect(
      rows.map(({ pid }) => existsSync(`/proc/${pid}`) && getPriority(pid)).filter((nice) => nice !== false),
    ).not.toContain(0);
    expect(statSync(join(server.dataDir, 'pgdata')).mode & 0o077).toBe(0);
  } finally {
    process.umask(umask);
  }
});

test('below a directory only root may enter, the data is kept elsewhere and linked', async ({ skip }) => {
  skip(!isRoot, 'only as root');
  await using here = await emptyPlace();
  const closed = join(here.dir, 'closed');
  await mkdir(closed, { mode: 0o700 });
  const told: string[] = [];
  const options = {
    ...here.options,
    dataDir: join(closed, 'home'),
    log: (line: string) => told.push(line),
  };
  const first = await startEmbeddedPostgres(options);
  expect(first.dataDir).toMatch(join(here.dir, 'runtime', 'data', 'home-'));
  expect(told).toContain(`The data of ${options.dataDir} is kept in ${first.dataDir}.`);
  await first.stop();
  await using again = await startEmbeddedPostgres(options);
  expect(again.systemIdentifier).toBe(first.systemIdentifier);
  await again.stop();
  await rm(first.dataDir, { recursive: true });
  await using anew = await startEmbeddedPostgres(options);
  expect(anew.systemIdentifier).not.toBe(first.systemIdentifier);
});
