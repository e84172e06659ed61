import { insertStatement } from '../../log/commit-run.ts';
import type { Run } from '../../log/event.ts';
import { genesisHash } from '../../protocol/position.ts';
import { newestSnapshotBehindGap } from '../../log/held.ts';
import type { Base } from '../../log/held.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';

/** Events that are missing between two that are proven: behind `from`, up to and with `to`. */
export type Gap = { readonly from: Base; readonly to: Base };

/** The newest gap that a snapshot has left in a standby's log, or undefined. */
export async function findGap(standby: Queryable): Promise<Gap | undefined> {
  const to = await newestSnapshotBehindGap(standby);
  if (!to) return undefined;
  const { rows: before } = await standby.query<{ seq: number; hash: Buffer }>(
    'select seq, hash from log where seq < $1 order by seq desc limit 1',
    [to.seq],
  );
  const from = before[0] ?? { seq: 0, hash: genesisHash };
  return { from: { ...from, incarnation: undefined }, to };
}

/** Adds older events; events behind the head are history, so nothing else changes. */
export async function insertHistory(standby: Queryable, run: Run): Promise<void> {
  await standby.query(insertStatement(run));
}
