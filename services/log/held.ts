import { genesisHash } from '../protocol/position.ts';
import type { Queryable } from '../platform/postgres/statement.ts';

/** A point the log is held without gaps behind; `incarnation` where it is known. */
export type Base = { readonly seq: number; readonly hash: Buffer; readonly incarnation: string | undefined };

/**
 * The point behind which every event up to the head is held: genesis; or the newest snapshot whose own
 * event has not been fetched afterwards (which is why older events are fetched in ascending order); or,
 * in a log whose beginning was pruned, the first event held.
 */
export async function heldAfter(queryable: Queryable): Promise<Base> {
  const base = (await newestSnapshotBehindGap(queryable)) ?? {
    seq: 0,
    hash: genesisHash,
    incarnation: undefined,
  };
  const { rows } = await queryable.query<{ seq: number; hash: Buffer }>({
    name: 'log.first-behind',
    text: 'select seq, hash from log where seq > $1 order by seq limit 1',
    values: [base.seq],
  });
  const [first] = rows;
  return first && first.seq > base.seq + 1 ? { ...first, incarnation: undefined } : base;
}

/** The newest snapshot whose own event is not held: older ones are missing before it. */
export async function newestSnapshotBehindGap(queryable: Queryable): Promise<Base | undefined> {
  const { rows } = await queryable.query<Base>({
    name: 'log.newest-snapshot-behind-gap',
    text: `select seq, hash, incarnation from snapshots
           where not exists (select from log where log.seq = snapshots.seq)
           order by seq desc limit 1`,
  });
  return rows[0];
}
