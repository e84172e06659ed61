import { describe, expect, it } from 'vitest';
import { startSendingPair } from '../support/sending-pair.ts';
import { expectSame } from '../support/sync-pair.ts';

describe('a snapshot on its way between two sites', () => {
  it('arrives whole though its connections are cut at whatever byte', async () => {
    await using pair = await startSendingPair();
    const { c1, c2, control, data } = pair;
    const cuts = [
      () => data.cutAfter(0, 'up', 'rst'),
      () => data.cutAfter(1, 'up', 'fin'),
      () => data.cutAfter(600, 'up', 'rst'),
      () => data.cutAfter(20_000, 'up', 'fin'),
      () => data.cutAfter(70_000, 'up', 'rst'),
      () => data.cutAfter(90, 'down', 'rst'),
      () => control.cutAfter(10, 'up', 'rst'),
      () => control.cutAfter(2_000, 'up', 'fin'),
      () => control.cutAfter(2_500, 'down', 'rst'),
    ];
    for (const cut of cuts) {
      const before = data.forwardedBytes('up');
      cut();
      const changed = c1.append(20, { first: 10_000 });
      const job = await c1.ended(await c1.request('resync'));
      expect(job).toMatchObject({ state: 'done', error: null });
      expect(data.forwardedBytes('up') - before).toBeGreaterThan(50_000);
      await c2.applied((await changed).seq);
      await expectSame(c1.home, c2.standby);
    }
    const interrupted = c1.program.messages.filter((message) => message === 'FTP transfer interrupted');
    expect(interrupted.length).toBeGreaterThanOrEqual(cuts.length);
    expect([await c1.openAlarms(), await c2.openAlarms()]).toEqual([[], []]);
  });

  it('is waited for when nothing passes any more, can be cancelled then, and be sent again', async () => {
    await using pair = await startSendingPair();
    const { c1, c2, data } = pair;
    data.stall();
    const stuck = await c1.request('resync');
    await expect.poll(async () => (await c1.job(stuck)).phase).toBe('copying');
    const { seq } = await c1.append(10, { first: 20_000 });
    await c2.applied(seq);
    await expect.poll(async () => (await c1.sending()).lane).toBe('applying');
    await c1.cancel(stuck);
    expect(await c1.ended(stuck)).toMatchObject({ state: 'cancelled' });
    data.resume();
    data.cut('rst');
    expect(await c1.ended(await c1.request('resync'))).toMatchObject({ state: 'done' });
    await expectSame(c1.home, c2.standby);
  });
});
