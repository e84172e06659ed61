import { compareSides, sideOf } from '../../services/log/compare.ts';
import { readHead } from '../../services/log/head.ts';
import { configurationLog } from '../../services/log/definition.ts';
import { verifyChain } from '../../services/log/verify-chain.ts';
import type { Comparison } from '../../services/protocol/digest.ts';
import type { TestSite } from './test-site.ts';

/**
 * Compares the copy of `home` at `peer` row by row, and proves that both logs are whole. The caller has
 * stopped the changes and waited until they are applied.
 */
export async function compareCopies(home: TestSite, peer: TestSite): Promise<Comparison> {
  const databases = [await home.database('home'), await peer.database(`standby_${home.name}`)] as const;
  for (const database of databases) {
    await using session = await database.session();
    await verifyChain(session);
  }
  await using ours = await databases[0].session();
  await using theirs = await databases[1].session();
  const heads = [await readHead(ours), await readHead(theirs)];
  if (heads[0]?.seq !== heads[1]?.seq) throw new Error(`the heads are ${heads[0]?.seq} and ${heads[1]?.seq}`);
  return await compareSides({
    ours: sideOf(ours),
    theirs: sideOf(theirs),
    tables: configurationLog.tables,
    differencesMax: 20,
  });
}
