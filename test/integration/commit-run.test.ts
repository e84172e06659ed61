import { describe, expect, it } from 'vitest';
import { commitRun } from '../../services/log/commit-run.ts';
import { putting } from '../../services/log/events.ts';
import { chainRun } from '../../services/log/event.ts';
import { readHead } from '../../services/log/head.ts';
import { readAfter } from '../../services/log/read.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import { sqlStateOf } from '../../services/platform/postgres/failures.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import { chainHash, genesisHash } from '../../services/protocol/position.ts';
import { aSubscriber } from '../support/builders.ts';
import { appendEvents } from '../support/log.ts';
import { testDatabase } from '../support/postgres.ts';

const added = (n: number) => ({ kind: subscriber, changes: [putting(subscriber, null, aSubscriber(n))] });

describe('a run committed to the log', () => {
  it('writes events, rows and head together, in a chain without gaps', async () => {
    await using home = await testDatabase('config');
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    const head = await appendEvents(session, [added(1), added(2)]);

    const events = await readAfter(home.database, 0, { eventsMax: 10, bytesMax: 1e6 });
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    let hash = genesisHash;
    for (const event of events) expect(event.hash).toEqual((hash = chainHash(hash, event.body)));
    expect(await readHead(home.database)).toEqual({ ...head, seq: 3, hash });
    const { rows } = await home.database.query(
      'select aor, class_of_service, seq from subscribers order by aor',
    );
    expect(rows).toEqual(
      [1, 2].map((n) => ({
        aor: aSubscriber(n)['aor'],
        class_of_service: ['local', 'national'],
        seq: n + 1,
      })),
    );
  });

  it('is refused as fenced, and changes nothing, when the head has moved', async () => {
    await using home = await testDatabase('config');
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    const stale = await readHead(session);
    const head = await appendEvents(session, [added(1)]);

    const run = chainRun(stale, [{ timeMs: 0, body: Buffer.from('{}') }]);
    await expect(commitRun(session, run, [])).rejects.toMatchObject({ code: 'LOG_FENCED' });
    expect(await readHead(session)).toEqual(head);
  });

  it('cannot be bypassed: no change without its event, no event beyond the head, no event altered', async () => {
    await using home = await testDatabase('config');
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    await appendEvents(session, [added(1)]);
    const codeOf = (sql: string) => home.database.query(sql).then(() => 'done', sqlStateOf);

    expect(await codeOf(`update subscribers set display_name = 'x'`)).toBe('DH002');
    expect(await codeOf('delete from subscribers')).toBe('DH002');
    const headAlone = 'with head as (update log_head set seq = seq + 1) delete from subscribers';
    expect(await codeOf(headAlone)).toBe('DH002');
    expect(await codeOf('truncate subscribers')).toBe('DH004');
    expect(await codeOf(`insert into log values (9, now(), '', decode(repeat('00', 32), 'hex'))`)).toBe(
      'DH003',
    );
    expect(await codeOf(`update log set body = ''`)).toBe('DH004');
  });

  it('reads back no more than asked for, but always one event', async () => {
    await using home = await testDatabase('config');
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    await appendEvents(session, [added(1), added(2), added(3)]);

    const seqs = async (after: number, eventsMax: number, bytesMax: number) =>
      (await readAfter(home.database, after, { eventsMax, bytesMax })).map(({ seq }) => seq);
    expect(await seqs(1, 2, 1e6)).toEqual([2, 3]);
    expect(await seqs(1, 9, 1)).toEqual([2]);
    expect(await seqs(4, 9, 1e6)).toEqual([]);
  });
});
