import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import type { Session } from '../../services/platform/postgres/database.ts';
import { isUniqueViolation } from '../../services/platform/postgres/failures.ts';
import { testDatabase } from '../support/postgres.ts';

const ROWS = 200_000;
const LINES_PER_CHUNK = 500;
const LINE_BYTES = 400;
const MEMORY_BYTES_MAX = 32 * 1024 * 1024;
const COPY_IN = 'copy t from stdin';
const COPY_OUT = 'copy (select * from t order by id) to stdout';

/** Lines of COPY text, 80 MB in all, a chunk of 200 kB at a time. */
function* lines(): Generator<Buffer> {
  const filler = 'x'.repeat(LINE_BYTES);
  for (let id = 1; id <= ROWS; id += LINES_PER_CHUNK) {
    const chunk = Array.from({ length: LINES_PER_CHUNK }, (_, index) => `${id + index}\t${filler}\n`);
    yield Buffer.from(chunk.join(''));
  }
}

/** What the streams hold on to: buffers live outside the heap, and garbage does not count. */
function watchMemory(): () => number {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const heldBytes = (): number => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const before = heldBytes();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, heldBytes())), 50);
  return () => {
    clearInterval(timer);
    return peak - before;
  };
}

const createTable = (session: Session) => session.query('create table t (id int primary key, body text)');

test('200,000 rows stream in and out, slow readers included, without being held in memory', async () => {
  await using db = await testDatabase('empty');
  await using session = await db.database.session();
  await createTable(session);
  const growth = watchMemory();
  const copyIn = session.copyFrom(COPY_IN);
  await pipeline(Readable.from(lines()), copyIn);
  expect(copyIn.rowCount).toBe(ROWS);
  let bytes = 0;
  let chunks = 0;
  const slow = new Writable({
    async write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      chunks += 1;
      if (chunks % 100 === 0) await sleep(1);
      done();
    },
  });
  const copyOut = session.copyTo(COPY_OUT);
  await pipeline(copyOut, slow);
  expect(copyOut.rowCount).toBe(ROWS);
  expect(bytes).toBe([...lines()].reduce((sum, chunk) => sum + chunk.length, 0));
  expect(growth()).toBeLessThan(MEMORY_BYTES_MAX);
  expect(await session.query('select count(*) as rows from t')).toMatchObject({ rows: [{ rows: ROWS }] });
});

test('rows that are refused fail the COPY as a whole and leave the session usable', async () => {
  await using db = await testDatabase('empty');
  await using session = await db.database.session();
  await createTable(session);
  const copyIn = session.copyFrom(COPY_IN);
  const twice = pipeline(Readable.from(['1\ta\n', '1\tb\n']), copyIn);
  expect(isUniqueViolation(await twice.catch((error: unknown) => error))).toBe(true);
  await expect.poll(() => copyIn.closed, { timeout: 20_000 }).toBe(true);
  expect(await session.query('select count(*) as rows from t')).toMatchObject({ rows: [{ rows: 0 }] });
});

test('a source that fails takes the rows before it along', async () => {
  await using db = await testDatabase('empty');
  await using session = await db.database.session();
  await createTable(session);
  function* failing(): Generator<Buffer> {
    yield Buffer.from('1\ta\n');
    throw new Error('the file is cut off');
  }
  await expect(pipeline(Readable.from(failing()), session.copyFrom(COPY_IN))).rejects.toThrow(
    'the file is cut off',
  );
  expect(await session.query('select count(*) as rows from t')).toMatchObject({ rows: [{ rows: 0 }] });
});

test('a connection killed in the middle of a COPY ends it, in either direction', async () => {
  await using db = await testDatabase('empty');
  await using database = openDatabase({ url: db.url, applicationName: 'test', poolMax: 1 });
  {
    await using session = await database.session();
    await createTable(session);
    let sent = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        if (sent === 20)
          await db.database.query('select pg_terminate_backend($1, 5000)', [session.processId]);
        sent += 1;
        yield Buffer.from(`${sent}\t${'x'.repeat(100_000)}\n`);
      }
    }
    const copying = pipeline(endless, session.copyFrom(COPY_IN));
    await expect(copying).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
  }
  await using session = await database.session();
  const copyOut = session.copyTo(
    "copy (select repeat('x', 10000) from generate_series(1, 100000)) to stdout",
  );
  copyOut.once('data', () => process.kill(session.processId, 'SIGTERM'));
  const reading = pipeline(copyOut, new Writable({ write: (_chunk, _encoding, done) => done() }));
  await expect(reading).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
});

test('a reader that loses interest costs the session, not the pool', async () => {
  await using db = await testDatabase('empty');
  await using database = openDatabase({ url: db.url, applicationName: 'test', poolMax: 1 });
  {
    await using session = await database.session();
    const copyOut = session.copyTo('copy (select generate_series(1, 10000000)) to stdout');
    for await (const chunk of copyOut) {
      if ((chunk as Buffer).length > 0) break;
    }
    await expect(session.query('select 1')).rejects.toMatchObject({
      code: 'POSTGRES_UNREACHABLE',
      detail: expect.not.stringContaining('timeout'),
    });
  }
  expect(await database.query('select 1 as one')).toMatchObject({ rows: [{ one: 1 }] });
});
