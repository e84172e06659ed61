import { expect, test } from 'vitest';
import type { Statement } from '../../services/platform/postgres/database.ts';
import { isUniqueViolation } from '../../services/platform/postgres/failures.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import type { PipelineSession } from '../../services/platform/postgres/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

const open = async (db: TestDatabase): Promise<PipelineSession> => {
  await db.database.query('create table t (id int primary key)');
  return openPipeline({ url: db.url, applicationName: 'test' });
};

const insert = (id: number) => ({ name: 'insert', text: 'insert into t values ($1)', values: [id] });
const count = { name: 'count', text: 'select count(*) as rows from t' };

test('statements are sent without waiting for answers, and answered in order', async () => {
  await using db = await testDatabase('empty');
  await using pipeline = await open(db);
  const sent = Array.from({ length: 1000 }, (_, id) => pipeline.query(insert(id)));
  const total = pipeline.query<{ rows: number }>(count);
  expect((await total).rows).toEqual([{ rows: 1000 }]);
  expect((await Promise.all(sent)).every(({ rowCount }) => rowCount === 1)).toBe(true);
});

test('a transaction is all of its statements, and returns their results', async () => {
  await using db = await testDatabase('empty');
  await using pipeline = await open(db);
  const results = await pipeline.transaction([insert(1), insert(2), count]);
  expect(results.map(({ command, rowCount }) => [command, rowCount])).toEqual([
    ['INSERT', 1],
    ['INSERT', 1],
    ['SELECT', 1],
  ]);
  expect(await db.database.query(count)).toMatchObject({ rows: [{ rows: 2 }] });
});

test('a transaction with a failing statement changes nothing and reports that statement', async () => {
  await using db = await testDatabase('empty');
  await using pipeline = await open(db);
  const error: unknown = await pipeline
    .transaction([insert(1), insert(1), count, insert(2)])
    .catch((reason: unknown) => reason);
  expect(isUniqueViolation(error)).toBe(true);
  // `count` was parsed for the first time inside the failed transaction.
  const results = await pipeline.transaction([count, insert(1)]);
  expect(results[0]).toMatchObject({ rows: [{ rows: 0 }] });
});

test('the COMMIT of a failed transaction is seen to be a ROLLBACK', async () => {
  await using db = await testDatabase('empty');
  await using pipeline = await open(db);
  const [, , commit] = await Promise.allSettled([
    pipeline.query('begin'),
    pipeline.query('select 1/0'),
    pipeline.query('commit'),
  ]);
  expect(commit).toMatchObject({ status: 'fulfilled', value: { command: 'ROLLBACK' } });
});

test('a transaction with a statement that cannot be sent is not sent at all', async () => {
  await using db = await testDatabase('empty');
  await using pipeline = await open(db);
  await expect(pipeline.transaction([insert(1), unsendable()])).rejects.toThrow(/circular/i);
  const renamed = { name: 'insert', text: 'insert into t values ($1), (99)', values: [2] };
  await expect(pipeline.transaction([insert(3), renamed])).rejects.toThrow(/two statements are named insert/);
  expect(await pipeline.transaction([count])).toMatchObject([{ rows: [{ rows: 0 }] }]);
});

test('a single statement that cannot be sent takes the COMMIT behind it along', async () => {
  await using db = await testDatabase('empty');
  await using pipeline = await open(db);
  const answers = await Promise.allSettled(
    ['begin', insert(1), unsendable(), 'commit'].map((statement) => pipeline.query(statement)),
  );
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
  expect(pipeline.lost).toBe(true);
  expect(await db.database.query(count)).toMatchObject({ rows: [{ rows: 0 }] });
});

function unsendable(): Statement {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  return { text: 'select $1::jsonb', values: [circular] };
}

test('a connection lost before COMMIT was answered leaves the outcome open', async () => {
  await using db = await testDatabase('empty');
  await using pipeline = await open(db);
  const outcome = pipeline.transaction([insert(1), 'select pg_sleep(60)']).catch((error: unknown) => error);
  const kill =
    "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep' and pid = $1";
  await expect
    .poll(() => db.database.query(kill, [pipeline.processId]), { timeout: 20_000 })
    .toMatchObject({ rowCount: 1 });
  expect(await outcome).toMatchObject({ code: 'POSTGRES_COMMIT_UNKNOWN' });
  expect(pipeline.lost).toBe(true);
});

test('a transaction of one statement is answered when it is committed, and its objector leaves nothing', async () => {
  await using db = await testDatabase('empty');
  await using pipeline = await open(db);
  await pipeline.transaction([insert(1)]);
  const objection = new Error('no');
  const object = (): never => {
    throw objection;
  };
  for (const statements of [[insert(2)], [insert(2), insert(3)]])
    await expect(pipeline.transaction(statements, object)).rejects.toBe(objection);
  await db.database.query(
    "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$; " +
      'create constraint trigger late after insert on t initially deferred for each row execute function refuse()',
  );
  await expect(pipeline.transaction([insert(4)])).rejects.toThrow('refused');
  expect(await db.database.query('select id from t')).toMatchObject({ rows: [{ id: 1 }] });
});

test('one statement whose connection is lost leaves the outcome open', async () => {
  await using db = await testDatabase('empty');
  await using pipeline = await open(db);
  const outcome = pipeline.transaction(['select pg_sleep(60)']).catch((error: unknown) => error);
  const kill =
    "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep' and pid = $1";
  await expect
    .poll(() => db.database.query(kill, [pipeline.processId]), { timeout: 20_000 })
    .toMatchObject({ rowCount: 1 });
  expect(await outcome).toMatchObject({ code: 'POSTGRES_COMMIT_UNKNOWN' });
});

test('an idle pipeline that is killed harms nothing but itself', async () => {
  await using db = await testDatabase('empty');
  const lost = Promise.withResolvers<unknown>();
  await using pipeline = await openPipeline({ url: db.url, applicationName: 'test', onError: lost.resolve });
  await db.database.query('select pg_terminate_backend($1)', [pipeline.processId]);
  expect(await lost.promise).toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
  await expect(pipeline.transaction([count])).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
});
