import { insertStatement } from '../../log/commit-run.ts';
import type { Run } from '../../log/event.ts';
import { genesisHash } from '../../protocol/position.ts';
import { newestSnapshotBehindGap } from '../../log/held.ts';
import type { Base } from '../../log/held.ts';
import type { Database, Queryable } from '../../platform/postgres/database.ts';

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

const staged = 'fetched_events';

/** Makes the place where fetched events wait until all of them are proven, unless it is there. */
export async function openStaged(standby: Queryable): Promise<void> {
  await standby.query(`create table if not exists ${staged} (like log, primary key (seq))`);
}

/** Forgets what was fetched. */
export async function dropStaged(standby: Queryable): Promise<void> {
  await standby.query(`drop table if exists ${staged}`);
}

/** The last event fetched so far, or undefined. */
export async function lastStaged(standby: Queryable): Promise<Base | undefined> {
  const { rows } = await standby.query<{ seq: number; hash: Buffer }>(
    `select seq, hash from ${staged} order by seq desc limit 1`,
  );
  return rows[0] && { ...rows[0], incarnation: undefined };
}

export async function stage(standby: Queryable, run: Run): Promise<void> {
  await standby.query(insertStatement(run, staged));
}

/** Makes what was fetched part of the log; events behind its head are history, so nothing else changes. */
export async function publishStaged(standby: Database): Promise<void> {
  await standby.transaction(async (tx) => {
    await tx.query('set local statement_timeout = 0');
    await tx.query(`insert into log select seq, time, body, hash from ${staged} order by seq`);
    await dropStaged(tx);
  });
}
