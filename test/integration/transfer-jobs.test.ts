import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { JobStore } from '../../services/synchronizer/store/job-store.ts';
import { directionFrom, expectSame, SyncPair } from '../support/sync-pair.ts';
import type { SyncSite } from '../support/sync-pair.ts';

const patience = { timeout: 30_000, interval: 20 };

/** What nothing of ours does: changes a copy behind the back of its log. */
async function alter({ standby }: SyncSite): Promise<void> {
  await standby.database.transaction(async (tx) => {
    await tx.query('set local session_replication_role = replica');
    await tx.query(
      `update subscribers set display_name = 'altered' where aor = (select min(aor) from subscribers)`,
    );
  });
}

/** The states of jobs of this kind, the oldest first. */
async function statesOf({ shared }: SyncSite, kind: string): Promise<readonly string[]> {
  const { rows } = await shared.database.query<{ state: string }>(
    'select state from site.jobs where kind = $1 order by created_at',
    [kind],
  );
  return rows.map(({ state }) => state);
}

/** Which table is in place: a snapshot brings another. */
async function tableOf({ standby }: SyncSite): Promise<unknown> {
  const { rows } = await standby.database.query(`select 'public.subscribers'::regclass::oid as oid`);
  return rows;
}

const spoolOf = async ({ config: { spool } }: SyncSite): Promise<readonly string[]> => [
  ...(await readdir(spool.incoming)),
  ...(await readdir(spool.outgoing)),
];

describe('a copy', () => {
  it('that differs is found by a comparison, alarms at both sites, and is fetched anew by a pull', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await c2.applied((await c1.append(300)).seq);
    await alter(c2);
    const found = await c1.ended(await c1.request('verify'));
    expect(found).toMatchObject({
      state: 'done',
      result: { equal: false, differences: [{ table: 'subscribers' }] },
    });
    await c1.alarmsAre('VERIFY_DIFFERENT c2/configuration-copy');
    await c2.alarmsAre('VERIFY_DIFFERENT c1/configuration');
    await c2.statusWhen('not ready', (status) => !directionFrom(status, 'c1').ready);

    // What is equal in a part proves nothing of the whole.
    const part = randomUUID();
    const scope = { kinds: ['domain'], keyRange: null };
    const request = { kind: 'verify', peer: 'c2', log: 'configuration', scope, reason: '' } as const;
    await new JobStore(c1.shared.database).insert(part, request, 'test');
    expect(await c1.ended(part)).toMatchObject({ state: 'done', result: { equal: true } });
    await c2.alarmsAre('VERIFY_DIFFERENT c1/configuration');
    expect((await c2.receiving()).ready).toBe(false);

    expect(await c2.ended(await c2.request('pull'))).toMatchObject({ state: 'done', error: null });
    await expectSame(c1.home, c2.standby);
    const proven = await c1.ended(await c1.request('verify'));
    expect(proven).toMatchObject({ state: 'done', result: { equal: true, differences: [] } });
    await c1.alarmsAre();
    await c2.alarmsAre();
    await c2.statusWhen('ready again', (status) => directionFrom(status, 'c1').ready);
  });

  it('stays as it is when the pull of it is cancelled, which also ends the push at the peer', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await c2.applied((await c1.append(300)).seq);
    const before = await tableOf(c2);
    const id = await held(c2, async () => {
      const pull = await c2.request('pull');
      await expect.poll(() => c2.job(pull), patience).toMatchObject({ phase: 'verifying and swapping' });
      await c2.cancel(pull);
      await expect.poll(() => c2.job(pull), patience).toMatchObject({ state: 'cancelled' });
      return pull;
    });
    await expect.poll(() => statesOf(c1, 'resync'), patience).toEqual(['cancelled']);
    await expect.poll(async () => [await spoolOf(c1), await spoolOf(c2)], patience).toEqual([[], []]);
    expect(await tableOf(c2)).toEqual(before);

    const { seq } = await c1.append(10, { first: 1_000 });
    await c2.applied(seq);
    await expectSame(c1.home, c2.standby);
    expect(await c2.job(id)).toMatchObject({ state: 'cancelled', error: { code: 'JOB_CANCELLED' } });
  });

  it('is filled over a kill of the receiver, which knows the login of the transfer no longer', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await c2.applied((await c1.append(300)).seq);
    await c1.stop();
    await c1.start({ DUALHOME_FAILPOINT: 'ftp.upload.before-rename=pause@1' });
    await c2.linkIs('up');
    const id = await c1.request('resync');
    await c1.program.pausedAt('ftp.upload.before-rename');
    await c2.stop('SIGKILL');
    await c2.start();
    c1.program.kill('SIGCONT');
    expect(await c1.ended(id)).toMatchObject({ state: 'done', error: null });
    await expectSame(c1.home, c2.standby);
  });
});

/** Does it while nothing can be put in place at a site's standby. */
async function held<T>({ standby }: SyncSite, work: () => Promise<T>): Promise<T> {
  await using session = await standby.database.session();
  return await session.transaction(async (tx) => {
    await tx.query('select from log_head for update');
    return await work();
  });
}
