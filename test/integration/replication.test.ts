import { describe, it } from 'vitest';
import { expectSame, SyncPair } from '../support/sync-pair.ts';

describe('replication between two sites', () => {
  it('brings every change of each site to the standby of the other', async () => {
    await using pair = await SyncPair.start();
    const one = await pair.c1.append(500, { perCommit: 7 });
    const two = await pair.c2.append(300, { perCommit: 1 });
    await pair.c2.applied(one.seq);
    await pair.c1.applied(two.seq);
    await expectSame(pair.c1.home, pair.c2.standby);
    await expectSame(pair.c2.home, pair.c1.standby);
  });

  it('brings what was changed before the link was there', async () => {
    await using pair = await SyncPair.create();
    const { seq } = await pair.c1.append(3_000);
    await Promise.all([pair.c1.start(), pair.c2.start()]);
    await pair.c2.applied(seq);
    await expectSame(pair.c1.home, pair.c2.standby);
  });
});
