import { expect, test } from 'vitest';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import type { Queryable } from '../../services/platform/postgres/database.ts';
import {
  isTransactionConflict,
  isUniqueViolation,
  sqlStateOf,
} from '../../services/platform/postgres/failures.ts';
import { testDatabase } from '../support/postgres.ts';

const UNREACHABLE = { code: 'POSTGRES_UNREACHABLE' };

const processIdOf = async (queryable: Queryable): Promise<number> => {
  const { rows } = await queryable.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
};

const terminate = (by: Queryable, pid: number) => by.query('select pg_terminate_backend($1, 5000)', [pid]);

test('values come back in the type that holds them exactly', async () => {
  await using db = await testDatabase('empty');
  const text = `select 9007199254740991::int8 as big, '{1,null,-2}'::int8[] as bigs, 1.50::numeric as exact,
                       '\\x00ff'::bytea as bytes, '2026-01-02T03:04:05.678Z'::timestamptz as instant,
                       '2026-01-02'::date as day, '2026-01-02 03:04:05'::timestamp as local,
                       '{"a":[1]}'::jsonb as document, null::int8 as nothing`;
  const { rows } = await db.database.query(text);
  expect(rows).toEqual([
    {
      big: 9_007_199_254_740_991,
      bigs: [1, null, -2],
      exact: '1.50',
      bytes: Buffer.from([0, 255]),
      instant: new Date('2026-01-02T03:04:05.678Z'),
      day: '2026-01-02',
      local: '2026-01-02 03:04:05',
      document: { a: [1] },
      nothing: null,
    },
  ]);
  const raw = await db.database.query({
    text: "select 9007199254740993::int8 as big, '{1}'::int8[] as bigs",
    raw: true,
  });
  expect(raw.rows).toEqual([{ big: '9007199254740993', bigs: '{1}' }]);
});

test('an integer JavaScript cannot hold is an error and harms nothing else', async () => {
  await using db = await testDatabase('empty');
  await expect(db.database.query('select 9007199254740993 as big')).rejects.toThrow(/not a safe integer/);
  expect(await db.database.query('select 1 as one')).toMatchObject({ rows: [{ one: 1 }] });
});

test('parameters of every kind arrive as what they are', async () => {
  await using db = await testDatabase('empty');
  const instant = new Date('2026-01-02T03:04:05.678Z');
  const { rows } = await db.database.query({
    name: 'kinds',
    text: `select $1::bytea as bytes, $2::bytea as view, $3::jsonb as document, $4::text[] as texts, $5::bytea[] as chunks,
                  $6::timestamptz as instant, $7::text as nothing, $8::text as missing`,
    values: [
      Buffer.from('a'),
      new Uint8Array([1, 2]),
      { a: 'b' },
      ['x', null, 'y"{},'],
      [Buffer.from('c')],
      instant,
      null,
      undefined,
    ],
  });
  expect(rows).toEqual([
    {
      bytes: Buffer.from('a'),
      view: Buffer.from([1, 2]),
      document: { a: 'b' },
      texts: ['x', null, 'y"{},'],
      chunks: [Buffer.from('c')],
      instant,
      nothing: null,
      missing: null,
    },
  ]);
});

test('more parameters than the protocol can count are refused', async () => {
  await using db = await testDatabase('empty');
  const values = Array.from({ length: 65_536 }, () => 1);
  await expect(db.database.query('select 1', values)).rejects.toThrow(/65536 parameters/);
});

test('a failed statement keeps its connection, and says which constraint refused it', async () => {
  await using db = await testDatabase('empty');
  await using database = openDatabase({ url: db.url, applicationName: 'test', poolMax: 1 });
  const before = await processIdOf(database);
  await database.query('create table t (id int constraint t_key primary key)');
  await database.query('insert into t values (1)');
  const error: unknown = await database.query('insert into t values (1)').catch((reason: unknown) => reason);
  expect(isUniqueViolation(error, 't_key')).toBe(true);
  expect(isUniqueViolation(error, 'other')).toBe(false);
  expect(await processIdOf(database)).toBe(before);
});

test('after an idle connection was killed the next query works', async () => {
  await using db = await testDatabase('empty');
  const lost = Promise.withResolvers<unknown>();
  await using database = openDatabase({
    url: db.url,
    applicationName: 'test',
    poolMax: 1,
    onError: lost.resolve,
  });
  const killed = await processIdOf(database);
  await terminate(db.database, killed);
  expect(await lost.promise).toMatchObject(UNREACHABLE);
  expect(await processIdOf(database)).not.toBe(killed);
});

test('a transaction begins even when every pooled connection has died a moment ago', async () => {
  await using db = await testDatabase('empty');
  await using database = openDatabase({ url: db.url, applicationName: 'test', poolMax: 3 });
  const sessions = await Promise.all([database.session(), database.session(), database.session()]);
  for (const session of sessions) await session[Symbol.asyncDispose]();
  for (const { processId } of sessions) process.kill(processId, 'SIGTERM');
  const { rows } = await database.transaction((tx) => tx.query('select 1 as one'));
  expect(rows).toEqual([{ one: 1 }]);
});

test('a connection killed under its session fails what is under way, and no other session gets it', async () => {
  await using db = await testDatabase('empty');
  await using database = openDatabase({ url: db.url, applicationName: 'test', poolMax: 1 });
  let killed = 0;
  {
    await using session = await database.session();
    killed = session.processId;
    const sleeping = session.query('select pg_sleep(60)').catch((error: unknown) => error);
    await terminate(db.database, killed);
    expect(await sleeping).toMatchObject(UNREACHABLE);
    await expect(session.query('select 1')).rejects.toMatchObject(UNREACHABLE);
  }
  expect(await processIdOf(database)).not.toBe(killed);
});

test('a transaction takes effect as a whole or not at all', async () => {
  await using db = await testDatabase('empty');
  await db.database.query('create table t (id int primary key)');
  await db.database.transaction((tx) => tx.query('insert into t values (1)'));
  const failing = db.database.transaction(async (tx) => {
    await tx.query('insert into t values (2)');
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect(await db.database.query('select id from t')).toMatchObject({ rows: [{ id: 1 }] });
});

test('a transaction whose failure was swallowed does not pass for committed', async () => {
  await using db = await testDatabase('empty');
  const swallowing = db.database.transaction(async (tx) => {
    await tx.query('create table t (id int)');
    await tx.query('select 1/0').catch(() => undefined);
  });
  await expect(swallowing).rejects.toMatchObject({ code: 'POSTGRES_TRANSACTION_ABORTED' });
  const { rows } = await db.database.query("select to_regclass('t') as t");
  expect(rows).toEqual([{ t: null }]);
});

test('a connection lost during COMMIT leaves the outcome open, and says so', async () => {
  await using db = await testDatabase('empty');
  await db.database.query(`
    create table t (id int);
    create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(60); return null; end';
    create constraint trigger slow after insert on t deferrable initially deferred for each row execute function slow()`);
  await using database = openDatabase({ url: db.url, applicationName: 'committer' });
  const outcome = database
    .transaction((tx) => tx.query('insert into t values (1)'))
    .catch((error: unknown) => error);
  const kill =
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'committer' and wait_event = 'PgSleep'";
  await expect.poll(() => db.database.query(kill), { timeout: 20_000 }).toMatchObject({ rowCount: 1 });
  expect(await outcome).toMatchObject({ code: 'POSTGRES_COMMIT_UNKNOWN' });
});

test('a transaction can read one state throughout, and be kept from writing', async () => {
  await using db = await testDatabase('empty');
  await db.database.query('create table t as select 1 as id');
  await db.database.transaction(
    async (tx) => {
      expect(await tx.query('select id from t')).toMatchObject({ rowCount: 1 });
      await db.database.query('insert into t values (2)');
      expect(await tx.query('select id from t')).toMatchObject({ rowCount: 1 });
    },
    { isolation: 'repeatable read', readOnly: true },
  );
  const writing = db.database.transaction((tx) => tx.query('insert into t values (3)'), { readOnly: true });
  expect(sqlStateOf(await writing.catch((error: unknown) => error))).toBe('25006');
});

test('a transaction that lost against another is told apart: it may be run again', async () => {
  await using db = await testDatabase('empty');
  await db.database.query('create table t as select 1 as id');
  const losing = db.database.transaction(
    async (tx) => {
      await tx.query('select id from t');
      await db.database.query('update t set id = 2');
      await tx.query('update t set id = 3');
    },
    { isolation: 'repeatable read' },
  );
  expect(isTransactionConflict(await losing.catch((error: unknown) => error))).toBe(true);
});

test('a session given back in the middle of a transaction is closed, so that nobody inherits it', async () => {
  await using db = await testDatabase('empty');
  await using database = openDatabase({ url: db.url, applicationName: 'test', poolMax: 1 });
  const session = await database.session();
  await session.query('begin');
  const { processId } = session;
  await session[Symbol.asyncDispose]();
  expect(await processIdOf(database)).not.toBe(processId);
});

test('a statement over its time limit is cancelled and its connection kept', async () => {
  await using db = await testDatabase('empty');
  await using database = openDatabase({
    url: db.url,
    applicationName: 'test',
    poolMax: 1,
    statementTimeoutMs: 50,
  });
  const before = await processIdOf(database);
  await expect(database.query('select pg_sleep(60)')).rejects.toMatchObject({ code: 'POSTGRES_TIMEOUT' });
  expect(await processIdOf(database)).toBe(before);
});

test('a server process that has frozen is given up', async () => {
  await using db = await testDatabase('empty');
  await using database = openDatabase({
    url: db.url,
    applicationName: 'test',
    poolMax: 1,
    statementTimeoutMs: 50,
  });
  const frozen = await processIdOf(database);
  process.kill(frozen, 'SIGSTOP');
  try {
    await expect(database.query('select 1')).rejects.toMatchObject(UNREACHABLE);
    expect(await processIdOf(database)).not.toBe(frozen);
  } finally {
    process.kill(frozen, 'SIGCONT');
  }
});

test('who cannot log in, or finds no server, is told which', async () => {
  await using db = await testDatabase('empty');
  const wrong = (change: (url: URL) => void) => {
    const url = new URL(db.url);
    change(url);
    return openDatabase({ url: url.href, applicationName: 'test' });
  };
  await using password = wrong((url) => (url.password = 'wrong'));
  await expect(password.query('select 1')).rejects.toMatchObject({ code: 'POSTGRES_REFUSED' });
  await using name = wrong((url) => (url.pathname = '/nowhere'));
  await expect(name.query('select 1')).rejects.toMatchObject({ code: 'POSTGRES_REFUSED' });
  await using port = wrong((url) => (url.port = '1'));
  await expect(port.query('select 1')).rejects.toMatchObject(UNREACHABLE);
});

test('connections carry the name of their program', async () => {
  await using db = await testDatabase('empty');
  await using database = openDatabase({ url: db.url, applicationName: 'front' });
  expect(await database.query('show application_name')).toMatchObject({
    rows: [{ application_name: 'front' }],
  });
});
