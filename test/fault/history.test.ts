import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { commitRun } from '../../services/log/commit-run.ts';
import { configurationLog } from '../../services/log/definition.ts';
import { incarnationBegunEvent } from '../../services/log/events.ts';
import { chainRun } from '../../services/log/event.ts';
import { readHead } from '../../services/log/head.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { rewind } from '../support/rewind.ts';
import { expectSame, SyncPair } from '../support/sync-pair.ts';

/** Two sites; c2 has applied 100 events of c1 after the first, then both are stopped. */
async function replicated(): Promise<SyncPair> {
  const pair = await SyncPair.start();
  const { seq } = await pair.c1.append(100);
  await pair.c2.applied(seq);
  await pair.c1.stop();
  return pair;
}

/** What an operator does who accepts a log as it is: a new incarnation goes on from its head. */
async function beginIncarnation({ url }: TestDatabase): Promise<void> {
  await using session = await openPipeline({ url, applicationName: 'test' });
  const head = await readHead(session);
  const incarnation = randomUUID();
  const begun = incarnationBegunEvent(head, {
    site: 'c1',
    incarnation,
    seq: head.seq + 1,
    timeMs: Date.now(),
    actor: { name: 'operator', role: 'operator' },
    reason: 'restored from backup',
  });
  await commitRun(
    session,
    chainRun(head, [begun], incarnation),
    configurationLog.fold([begun], head.seq + 1).changes,
  );
}

const contentBefore = async ({ c2 }: SyncPair): Promise<number> => {
  const { rows } = await c2.standby.database.query<{ n: number }>('select count(*)::int as n from log');
  return rows[0]?.n ?? 0;
};

/** An operator gives up the copy at c2 for the present history of c1. */
async function accept({ c1, c2 }: SyncPair): Promise<void> {
  const before = (await readHead(c2.standby.database)).seq;
  const job = await c2.ended(await c2.request('accept'));
  expect(job).toMatchObject({ state: 'done', result: { givenUp: { seq: before } } });
  const { seq } = await c1.append(5, { first: 500 });
  await c2.applied(seq);
  // The history before it is fetched in the background.
  await vi.waitFor(() => expectSame(c1.home, c2.standby), { timeout: 30_000 });
  for (const site of [c1, c2]) await site.alarmsAre();
}

/** A database put back to `seq`, rows and all, and accepted as it is. */
async function restore({ c1 }: SyncPair, seq: number): Promise<void> {
  await rewind(c1.home, seq);
  await c1.home.database.transaction(async (tx) => {
    await tx.query('set local session_replication_role = replica');
    await tx.query('delete from subscribers where seq > $1', [seq]);
  });
  await beginIncarnation(c1.home);
  await c1.start();
}

describe('a history that an operator accepts', () => {
  it('takes the place of a copy it does not go on from: of a home that began anew', async () => {
    await using pair = await replicated();
    await restore(pair, 0);
    await pair.c2.parked('LINK_PEER_RESTORED');
    await accept(pair);
  });

  it('takes the place of a copy it does not go on from: of a home that was restored', async () => {
    await using pair = await replicated();
    await restore(pair, 40);
    await pair.c2.parked('LINK_INCARNATION_REPLACED');
    await accept(pair);
  });
});

describe('a home that is not what it was', () => {
  it('is noticed when it was emptied: the only good copy stays, both sites alarm', async () => {
    await using pair = await replicated();
    const { c1, c2 } = pair;
    await rewind(c1.home, 0);
    await c1.start();
    const direction = await c2.parked('LINK_PEER_RESTORED');
    expect(direction).toMatchObject({ health: 'halted', applied: 101, eventsBehind: null, loss: null });
    await c1.alarmsAre('LOG_RESTORED configuration');
    await c2.alarmsAre('LINK_PEER_RESTORED c1/configuration');
    await c1.statusWhen(
      'same',
      ({ peers }) =>
        peers[0]?.directions.some(({ from, lane }) => from === 'c1' && lane === 'parked') ?? false,
    );
    expect(await contentBefore(pair)).toBe(101);
  });

  it('is noticed when it was emptied and written again, however far', async () => {
    await using pair = await replicated();
    const { c1, c2 } = pair;
    await rewind(c1.home, 0);
    await c1.append(200, { first: 5_000 });
    await c1.start();
    await c2.parked('LINK_PEER_RESTORED');
    await c1.alarmsAre('LOG_RESTORED configuration');
    expect(await contentBefore(pair)).toBe(101);
  });

  it('is noticed when it was put back, and goes on by itself when it is whole again', async () => {
    await using pair = await replicated();
    const { c1, c2 } = pair;
    await using spare = await keep(c1.home);
    await rewind(c1.home, 60);
    await c1.start();
    await c2.parked('LINK_PEER_RESTORED');
    await c1.alarmsAre('LOG_RESTORED configuration');
    await spare.putBack();
    await c2.alarmsAre();
    await c1.alarmsAre();
    const { seq } = await c1.append(10, { first: 500 });
    await c2.applied(seq);
    await expectSame(c1.home, c2.standby);
  });

  it('is noticed while everything runs', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await c2.applied((await c1.append(100)).seq);
    await rewind(c1.home, 60);
    await c2.parked('LINK_PEER_RESTORED');
    await c1.alarmsAre('LOG_RESTORED configuration');
  });

  it('is noticed when it has forked: the same place, another event', async () => {
    await using pair = await replicated();
    const { c1, c2 } = pair;
    await rewind(c1.home, 60);
    await c1.append(80, { first: 700 });
    await c1.start();
    await c2.parked('LINK_FORKED');
    await c1.alarmsAre('LOG_FORKED configuration');
    await c2.alarmsAre('LINK_FORKED c1/configuration');
    expect(await contentBefore(pair)).toBe(101);
  });

  it('may begin a new incarnation right where the standby is', async () => {
    await using pair = await replicated();
    const { c1, c2 } = pair;
    await beginIncarnation(c1.home);
    await c1.start();
    const { seq } = await c1.append(10, { first: 500 });
    await c2.applied(seq);
    await expectSame(c1.home, c2.standby);
    await c1.alarmsAre();
  });

  it('parks the lane, but is not kept from writing, when an operator has accepted the loss', async () => {
    await using pair = await replicated();
    const { c1, c2 } = pair;
    await rewind(c1.home, 60);
    await beginIncarnation(c1.home);
    await c1.append(80, { first: 700 });
    await c1.start();
    await c2.parked('LINK_INCARNATION_REPLACED');
    await c2.alarmsAre('LINK_INCARNATION_REPLACED c1/configuration');
    await c1.alarmsAre();
    expect(await contentBefore(pair)).toBe(101);
  });

  it('is not stopped again for what an operator has settled', async () => {
    await using pair = await replicated();
    const { c1, c2 } = pair;
    await rewind(c1.home, 0);
    await c1.append(5, { first: 5_000 });
    await c1.start();
    await c1.alarmsAre('LOG_RESTORED configuration');
    await c1.shared.database.query(`update site.alarms set cleared_at = now(), cleared_by = 'operator'`);
    pair.network.cut('rst');
    await c2.linkIs('up');
    await c2.parked('LINK_PEER_RESTORED');
    await c1.alarmsAre();
  });
});

/** Keeps the log of a database as it is now, to put it back. */
async function keep({ database }: TestDatabase) {
  for (const table of ['log', 'log_head', 'incarnations']) {
    await database.query(`create table kept_${table} as select * from ${table}`);
  }
  return {
    putBack: () =>
      database.transaction(async (tx) => {
        await tx.query('alter table log disable trigger user');
        await tx.query('insert into log select * from kept_log on conflict do nothing');
        await tx.query(
          'update log_head set (incarnation, seq, hash) = (select incarnation, seq, hash from kept_log_head)',
        );
        await tx.query('alter table log enable trigger user');
      }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
