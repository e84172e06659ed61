import { describe, expect, it } from 'vitest';
import { expectSame, SyncPair } from '../support/sync-pair.ts';
import type { SyncSite } from '../support/sync-pair.ts';

/** The site whose program is killed at each point, and after how many passes. */
const points = [
  ['c1', 'send.before-frame', 1],
  ['c1', 'send.before-frame', 4],
  ['c2', 'apply.before-commit', 1],
  ['c2', 'apply.before-commit', 3],
  ['c2', 'apply.after-commit-before-ack', 1],
  ['c2', 'apply.after-commit-before-ack', 3],
] as const;

describe('kill -9 of a synchronizer', () => {
  it.each(points)('of %s at %s, pass %d, loses nothing and doubles nothing', async (name, point, pass) => {
    await using pair = await SyncPair.create();
    const { c1, c2 } = pair;
    const victim: SyncSite = name === 'c1' ? c1 : c2;
    const other = name === 'c1' ? c2 : c1;
    await other.start();
    const env = { DUALHOME_FAILPOINT: `${point}=kill@${pass}` };
    const starting = victim.start(env).catch(() => undefined);
    let position = await c1.append(60, { perCommit: 1 });
    await starting;
    // Goes on writing until the point was passed often enough.
    for (let more = 0; !victim.program.output.includes(`failpoint ${point} kill`); more += 1) {
      position = await c1.append(1, { first: 1_000 + more });
    }
    expect(await victim.program.exit()).toMatchObject({ signal: 'SIGKILL' });
    position = await c1.append(40, { first: 30, perCommit: 1 });
    await victim.start();
    await c2.applied(position.seq);
    await expectSame(c1.home, c2.standby);
    expect(await c2.openAlarms()).toEqual([]);
  });

  it('of both, over and over, loses nothing and doubles nothing', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    let seq = 0;
    for (let round = 0; round < 4; round += 1) {
      const victim = round % 2 === 0 ? c2 : c1;
      const writing = c1.append(400, { first: round * 300, perCommit: 5 });
      await c2.applied(seq + 20);
      await victim.stop('SIGKILL');
      ({ seq } = await writing);
      await victim.start();
    }
    await c2.applied(seq);
    await expectSame(c1.home, c2.standby);
  });

  it('leaves nothing behind on SIGTERM', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await c1.append(50);
    for (const site of [c1, c2]) {
      site.program.kill('SIGTERM');
      expect(await site.program.exit()).toEqual({ code: 0, signal: null });
    }
  });
});
