import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configurationLog } from '../../services/log/definition.ts';
import { openReplay } from '../../services/log/replay.ts';
import type { Replay } from '../../services/log/replay.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import { aSubscriber } from '../support/builders.ts';
import { appendEvents } from '../support/log.ts';
import { LogWriter, drawnEvents, subscribers } from '../support/log-writer.ts';
import type { DrawnEvent } from '../support/log-writer.ts';
import { testDatabase } from '../support/postgres.ts';
import { aSnapshot, applyUpTo, importInto } from '../support/snapshot.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

async function rowsOf(replay: Replay): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return await Array.fromAsync(replay.rows(subscriber.table));
}

const renamed = (n: number, name: string): DrawnEvent => ({
  kind: subscriber,
  rows: [{ n, after: aSubscriber(n, { display_name: name }) }],
});
const deleted = (n: number): DrawnEvent => ({ kind: subscriber, rows: [{ n, after: null }] });

describe('a replay', () => {
  it('equals the live tables after whatever changes', async () => {
    await fc.assert(
      fc.asyncProperty(drawnEvents, async (events) => {
        await using home = await testDatabase('config');
        await using session = await openPipeline({ url: home.url, applicationName: 'test' });
        const { seq } = await new LogWriter(session).append(events);
        await using replay = await openReplay({
          definition: configurationLog,
          source: home.url,
          scratch: home.url,
        });
        expect(await replay.compareWithLive(10)).toMatchObject({ equal: true, differences: [], seq });
        expect(replay.position.seq).toBe(seq);
      }),
      { numRuns: 5 },
    );
  });

  it('shows the state at any event, and goes on from there', async () => {
    await using home = await testDatabase('config');
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    await new LogWriter(session).append([
      subscribers(1, 3),
      renamed(1, 'one'),
      deleted(2),
      renamed(1, 'uno'),
    ]);

    await using replay = await openReplay({
      definition: configurationLog,
      source: home.url,
      scratch: home.url,
    });
    expect(await rowsOf(replay)).toEqual([]);
    await replay.advance({ seq: 3 });
    expect(await rowsOf(replay)).toEqual([
      { ...aSubscriber(1, { display_name: 'one' }), seq: 3 },
      { ...aSubscriber(2), seq: 2 },
    ]);
    await replay.advance('head');
    expect(await rowsOf(replay)).toEqual([{ ...aSubscriber(1, { display_name: 'uno' }), seq: 5 }]);
    await expect(replay.advance({ seq: 4 })).rejects.toMatchObject({ code: 'LOG_NOT_HELD' });
    await expect(replay.advance({ seq: 6 })).rejects.toMatchObject({ code: 'LOG_NOT_REACHED' });
  });

  it('shows the state at any time', async () => {
    await using home = await testDatabase('config');
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    for (const [n, timeMs] of [
      [1, 1000],
      [2, 2000],
      [3, 2000],
      [4, 3000],
    ] as const) {
      const after = aSubscriber(n);
      await appendEvents(
        session,
        [{ kind: subscriber, changes: [{ key: String(after['aor']), before: null, after }] }],
        { timeMs },
      );
    }
    for (const [timeMs, rows] of [
      [999, 0],
      [1000, 1],
      [1999, 1],
      [2000, 3],
      [2999, 3],
      [3000, 4],
      [9000, 4],
    ] as const) {
      await using replay = await openReplay({
        definition: configurationLog,
        source: home.url,
        scratch: home.url,
      });
      await replay.advance({ timeMs });
      expect(await rowsOf(replay), `at ${timeMs}`).toHaveLength(rows);
    }
  });

  it('finds a live table that someone changed behind the log', async () => {
    await using home = await testDatabase('config');
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    await new LogWriter(session).append([subscribers(1, 9)]);
    await home.database.transaction(async (tx) => {
      await tx.query('set local session_replication_role = replica');
      await tx.query(`update subscribers set area_code = '89' where aor like '%0003@%'`);
      await tx.query(`delete from subscribers where aor like '%0005@%'`);
    });
    await using replay = await openReplay({
      definition: configurationLog,
      source: home.url,
      scratch: home.url,
    });
    expect(await replay.compareWithLive(10)).toMatchObject({
      equal: false,
      differences: [
        { kind: 'differs', key: 'user0000003@c1.example', columns: ['area_code'] },
        { kind: 'only-theirs', key: 'user0000005@c1.example' },
      ],
    });
  });

  it('stops at an event that was altered', async () => {
    await using home = await testDatabase('config');
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    await new LogWriter(session).append([subscribers(1, 3), subscribers(3, 5)]);
    await home.database.transaction(async (tx) => {
      await tx.query('set local session_replication_role = replica');
      await tx.query(
        `update log set body = convert_to(replace(convert_from(body, 'UTF8'), 'local', 'focal'), 'UTF8') where seq = 2`,
      );
    });
    await using replay = await openReplay({
      definition: configurationLog,
      source: home.url,
      scratch: home.url,
    });
    await expect(replay.advance('head')).rejects.toMatchObject({ code: 'LOG_BROKEN', facts: { seq: 2 } });
  });

  it('begins with a snapshot where the beginning of the log is not held', async () => {
    await using directory = await TemporaryDirectory.create();
    await using home = await testDatabase('config');
    await using standby = await testDatabase('config');
    await using session = await openPipeline({ url: home.url, applicationName: 'test' });
    const writer = new LogWriter(session);
    await writer.append([subscribers(1, 30)]);
    const snapshot = await aSnapshot(home, directory.path);
    await importInto(standby, snapshot);
    const { seq } = await writer.append([renamed(1, 'one'), deleted(2)]);
    await applyUpTo(home, standby, seq);

    const source = { definition: configurationLog, source: standby.url, scratch: standby.url };
    const { rows } = await standby.database.query<{ time: Date }>(
      'select time from log order by seq limit 1',
    );
    const since = rows[0]?.time.toISOString();
    const completeFrom = snapshot.header.seq + 1;
    await expect(openReplay(source)).rejects.toMatchObject({
      code: 'LOG_NOT_HELD',
      detail: expect.stringContaining(`event ${completeFrom} of ${since}`),
      facts: { completeFrom, since },
    });
    const base = {
      header: snapshot.header,
      chunks: (async function* () {
        yield* snapshot.chunks;
      })(),
    };
    await using replay = await openReplay({ ...source, base });
    expect(await rowsOf(replay)).toHaveLength(29);
    expect(await replay.compareWithLive(10)).toMatchObject({ equal: true, seq });
  });

  it('leaves nothing behind', async () => {
    await using home = await testDatabase('config');
    {
      await using replay = await openReplay({
        definition: configurationLog,
        source: home.url,
        scratch: home.url,
      });
      await replay.advance('head');
    }
    const { rows } = await home.database.query(
      `select relname from pg_class where relpersistence = 't' and relkind = 'r'`,
    );
    expect(rows).toEqual([]);
  });
});
