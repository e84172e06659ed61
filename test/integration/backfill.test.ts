import { describe, expect, it } from 'vitest';
import { heldAfter } from '../../services/log/held.ts';
import type { Job } from '../../services/protocol/rest/jobs.ts';
import { expectSame, SyncPair } from '../support/sync-pair.ts';
import type { SyncSite } from '../support/sync-pair.ts';
import { appendForeign, domainWithoutRealm } from '../support/unapplicable-events.ts';

/** A pair whose copy at c2 stands still at event 101, at an event that it cannot apply; `missing` more are behind it. */
async function parkedPair(missing: number): Promise<SyncPair> {
  const pair = await SyncPair.create();
  const { c1, c2 } = pair;
  await c1.append(100);
  await appendForeign(c1, (head) => [domainWithoutRealm(head)]);
  await c1.append(missing, { first: 1_000, perCommit: 500 });
  await Promise.all([c1.start(), c2.start()]);
  await c2.parked('LINK_EVENT_REFUSED');
  return pair;
}

/** Takes c1's copy at c2 beyond the gap by a snapshot. */
async function takeSnapshot({ c1 }: SyncPair): Promise<void> {
  expect(await c1.ended(await c1.request('resync'))).toMatchObject({ state: 'done', error: null });
}

/** The job with which a site fetches the history a snapshot has left out; it starts by itself. */
async function historyOf(site: SyncSite): Promise<Job> {
  let id: string | undefined;
  await expect
    .poll(
      async () => {
        const { rows } = await site.shared.database.query<{ id: string }>(
          `select id from site.jobs where kind = 'backfill' and log = 'configuration'`,
        );
        id = rows[0]?.id;
        return rows.length;
      },
      { timeout: 30_000 },
    )
    .toBe(1);
  return await site.ended(id ?? '');
}

/** Alters one event of a site's log; hashes are not sent, so its peer sees a chain that holds. */
async function forge({ home }: SyncSite, seq: number, from: string, to: string): Promise<void> {
  await home.database.transaction(async (tx) => {
    await tx.query('alter table log disable trigger user');
    await tx.query(
      `update log set body = convert_to(replace(convert_from(body, 'UTF8'), $2, $3), 'UTF8') where seq = $1`,
      [seq, from, to],
    );
    await tx.query('alter table log enable trigger user');
  });
}

const heldFrom = async ({ standby }: SyncSite): Promise<number> => (await heldAfter(standby.database)).seq;

describe('the history that a snapshot leaves out', () => {
  it.each([
    // One page of 2,000 events was in before the kill.
    { at: 'backfill.before-insert=kill@2', events: 2_501 },
    { at: 'backfill.before-publish=kill', events: 0 },
  ])('is fetched afterwards, over a kill at $at, and makes the log whole', async ({ at, events }) => {
    await using pair = await parkedPair(4_500);
    const { c1, c2 } = pair;
    await c2.stop();
    await c2.start({ DUALHOME_FAILPOINT: at });
    await c2.linkIs('up');
    await takeSnapshot(pair);
    expect(await c2.program.exit()).toMatchObject({ signal: 'SIGKILL' });
    expect(await heldFrom(c2)).toBe(4_602);
    const { seq } = await c1.append(10, { first: 20_000 });
    await c2.start();
    expect(await historyOf(c2)).toMatchObject({ state: 'done', result: { events, complete: true } });
    expect(await heldFrom(c2)).toBe(0);
    await c2.applied(seq);
    await expectSame(c1.home, c2.standby);
    await c2.alarmsAre();
  });

  it('is not taken where it does not lead to the snapshot, none of it, and is taken when it is the right one', async () => {
    await using pair = await parkedPair(4_500);
    const { c1, c2 } = pair;
    // Of the first of three pages; what follows is chained as if it were genuine.
    await forge(c1, 120, 'a test', 'b test');
    await takeSnapshot(pair);
    expect(await historyOf(c2)).toMatchObject({ state: 'failed', error: { code: 'LOG_BROKEN' } });
    expect(await heldFrom(c2)).toBe(4_602);
    const { rows } = await c2.standby.database.query('select from log where seq between 102 and 4602');
    expect(rows).toHaveLength(0);

    await forge(c1, 120, 'b test', 'a test');
    expect(await c2.ended(await c2.request('backfill'))).toMatchObject({
      state: 'done',
      result: { events: 4_501, complete: true },
    });
    expect(await heldFrom(c2)).toBe(0);
    await expectSame(c1.home, c2.standby);
  });
});
