import { expect, test } from 'vitest';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import type { Queryable } from '../../services/platform/postgres/database.ts';
import { listen } from '../../services/platform/postgres/listen.ts';
import type { ListenOptions } from '../../services/platform/postgres/listen.ts';
import { testDatabase, testServer } from '../support/postgres.ts';

type Heard = AsyncDisposable & {
  readonly notifications: [string, string][];
  readonly errors: unknown[];
  /** How often listening has begun. */
  begun(times: number): Promise<void>;
};

function hear(url: string, options: Partial<ListenOptions> = {}): Heard {
  const notifications: [string, string][] = [];
  const errors: unknown[] = [];
  let begun = 0;
  const listener = listen({
    url,
    applicationName: 'listener',
    channels: ['one', 'Two words'],
    onNotify: (channel, payload) => notifications.push([channel, payload]),
    onListening: () => (begun += 1),
    onError: (error) => errors.push(error),
    ...options,
  });
  return {
    notifications,
    errors,
    begun: (times) => expect.poll(() => begun, { timeout: 20_000 }).toBe(times),
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

const notify = (by: Queryable, channel: string, payload: string) =>
  by.query('select pg_notify($1, $2)', [channel, payload]);

test('notifications arrive in order, of the channels asked for', async () => {
  await using db = await testDatabase('empty');
  await using heard = hear(db.url);
  await heard.begun(1);
  await notify(db.database, 'other', 'not for us');
  await notify(db.database, 'one', '1');
  await notify(db.database, 'Two words', '2');
  await expect.poll(() => heard.notifications, { timeout: 20_000 }).toEqual([['one', '1'], ['Two words', '2']]); // prettier-ignore
});

test('one that rests is not told for a while, then that it may have missed some', async () => {
  await using db = await testDatabase('empty');
  await using heard = hear(db.url, { restMs: 50 });
  await heard.begun(1);
  await notify(db.database, 'one', '1');
  await expect.poll(() => heard.notifications, { timeout: 20_000 }).toEqual([['one', '1']]);
  await heard.begun(2);
  await notify(db.database, 'one', '2');
  await expect.poll(() => heard.notifications, { timeout: 20_000 }).toEqual([['one', '1'], ['one', '2']]); // prettier-ignore
  await heard.begun(3);
});

test('listening goes on after the server was killed and started again, and says that it began anew', async () => {
  await using server = await testServer();
  await using heard = hear(server.url('postgres'));
  await heard.begun(1);
  await server.kill();
  await expect.poll(() => heard.errors.length, { timeout: 20_000 }).toBeGreaterThan(1);
  await server.start();
  await heard.begun(2);
  await using database = openDatabase({ url: server.url('postgres'), applicationName: 'test' });
  await notify(database, 'one', 'after');
  await expect.poll(() => heard.notifications, { timeout: 20_000 }).toEqual([['one', 'after']]);
  expect(heard.errors).toContainEqual(expect.objectContaining({ code: 'POSTGRES_UNREACHABLE' }));
});

test('a server process that has frozen is noticed by its missing heartbeat', async () => {
  await using db = await testDatabase('empty');
  await using heard = hear(db.url, { heartbeatMs: 10 });
  await heard.begun(1);
  const { rows } = await db.database.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'listener' and datname = current_database()",
  );
  const pid = rows[0]?.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  try {
    await heard.begun(2);
    expect(heard.errors).toMatchObject([{ code: 'POSTGRES_UNREACHABLE' }]);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('listening waits for a server that is not there yet, and ends when told to', async () => {
  await using server = await testServer();
  const url = server.url('postgres');
  await server.stop();
  const stopping = new AbortController();
  await using heard = hear(url, { signal: stopping.signal });
  await expect.poll(() => heard.errors.length, { timeout: 20_000 }).toBeGreaterThan(0);
  await server.start();
  await heard.begun(1);
  stopping.abort();
  await using database = openDatabase({ url, applicationName: 'test' });
  const listeners = "select from pg_stat_activity where application_name = 'listener'";
  await expect.poll(() => database.query(listeners), { timeout: 20_000 }).toMatchObject({ rowCount: 0 });
});
