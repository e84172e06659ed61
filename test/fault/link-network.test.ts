import { describe, expect, it } from 'vitest';
import { expectSame, SyncPair } from '../support/sync-pair.ts';

/** Both logs have arrived, whole, once. */
async function expectReplicated(
  { c1, c2 }: SyncPair,
  seqs: { readonly c1: number; readonly c2: number },
): Promise<void> {
  await c2.applied(seqs.c1);
  await c1.applied(seqs.c2);
  await expectSame(c1.home, c2.standby);
  await expectSame(c2.home, c1.standby);
}

describe('a bad network between two sites', () => {
  it('loses nothing and doubles nothing while the link is cut again and again, in the middle of frames', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2, network } = pair;
    let writing = true;
    const written = Promise.all([
      c1.append(1_500, { perCommit: 3 }),
      c2.append(1_500, { perCommit: 50 }),
    ]).finally(() => (writing = false));
    for (let cut = 0; writing || cut < 12; cut += 1) {
      const direction = cut % 2 === 0 ? 'up' : 'down';
      network.cutAfter(1 + ((cut * 7_919) % 60_000), direction, cut % 3 === 0 ? 'fin' : 'rst');
      if (cut % 4 === 3) network.cut('rst');
      await network.accepted(cut / 4 + 1);
      await Promise.race([written, network.forwarded(direction, network.forwardedBytes(direction) + 20_000)]);
    }
    const [one, two] = await written;
    await expectReplicated(pair, { c1: one.seq, c2: two.seq });
    expect(await c1.openAlarms()).toEqual([]);
    expect(await c2.openAlarms()).toEqual([]);
  });

  it('keeps the link up over a slow and late line, and shows how late it is', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2, network } = pair;
    network.delay(150);
    network.throttle(400_000);
    const { seq } = await c1.append(1_500);
    await c2.applied(seq);
    const { peers } = await c1.statusWhen(
      'round trip',
      (status) => (status.peers[0]?.link.roundTripMs ?? 0) > 250,
    );
    expect(peers[0]?.link.state).toBe('up');
    expect(c2.program.messages.filter((message) => message === 'link down')).toEqual([]);
    await expectSame(c1.home, c2.standby);
  });

  it.each([
    ['both ways', ['up', 'down']],
    ['one way', ['up']],
    ['the other way', ['down']],
  ] as const)(
    'notices by itself, at both ends, that nothing passes any more: %s',
    async (_which, directions) => {
      await using pair = await SyncPair.start();
      const { c1, c2, network } = pair;
      await c2.applied((await c1.append(10)).seq);
      network.stall(directions);
      const stalledMs = performance.now();
      const [one] = await Promise.all([c1.linkIs('down'), c2.linkIs('down')]);
      expect(performance.now() - stalledMs).toBeGreaterThan(1_500);
      // Honest: what is shown is called old, and what would be lost is counted.
      const { seq } = await c1.append(5, { first: 100 });
      const status = await c1.statusWhen('loss', ({ peers }) => peers[0]?.directions[0]?.loss?.changes === 5);
      const sending = status.peers[0]?.directions.find(({ from }) => from === 'c1');
      expect(sending).toMatchObject({ health: 'unknown', eventsBehind: 5 });
      expect(one.peers[0]?.link.trouble?.code).toMatch(/^LINK_/);
      network.resume();
      await Promise.all([c1.linkIs('up'), c2.linkIs('up')]);
      await c2.applied(seq);
      await expectSame(c1.home, c2.standby);
    },
  );

  it('brings what was missed when a peer that stood still goes on', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    c2.program.kill('SIGSTOP');
    await c1.linkIs('down');
    const { seq } = await c1.append(800);
    c2.program.kill('SIGCONT');
    await Promise.all([c1.linkIs('up'), c2.linkIs('up')]);
    await c2.applied(seq);
    await expectSame(c1.home, c2.standby);
  });

  it('sends no more than the peer can take, and goes on when it can', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await using session = await c2.standby.database.session();
    const pressed = session.transaction(async (tx) => {
      await tx.query('select from log_head for update');
      const { seq } = await c1.append(30_000, {
        perCommit: 1_000,
        fieldsOf: () => ({ display_name: 'x'.repeat(100) }),
      });
      const { received, applied } = await c2
        .statusWhen(
          'full',
          ({ peers }) => (peers[0]?.directions.find(({ from }) => from === 'c1')?.received ?? 0) > 8_000,
        )
        .then(() => c2.receiving());
      // Nothing is committed, so nothing is acknowledged.
      expect(applied).toBe(0);
      expect((await c1.sending()).applied).toBe(0);
      const bodyBytes = 600;
      expect(((received ?? 0) - (applied ?? 0)) * bodyBytes).toBeLessThan(10 * 1024 * 1024);
      return seq;
    });
    await c2.applied(await pressed);
    await expectSame(c1.home, c2.standby);
  });
});
