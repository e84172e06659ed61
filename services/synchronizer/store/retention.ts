import type { Queryable } from '../../platform/postgres/statement.ts';

/** Which events a log holds, and about what one takes with its row and its place in the index. */
export type LogSize = { readonly first: number; readonly head: number; readonly bytesPerEvent: number };

/** Undefined of an empty log. */
export async function readLogSize(queryable: Queryable): Promise<LogSize | undefined> {
  // Some hundred events over the whole length stand for all, each looked up by its key: 3 ms, however long the log is.
  const { rows } = await queryable.query<LogSize>({
    name: 'synchronizer.log-size',
    text: `with held as (select min(log.seq) as first, (select seq from log_head) as head from log)
           select first, head, (
             select 120 + coalesce(avg((select octet_length(body) from log where log.seq = sample.seq)), 0)::float8
             from generate_series(first, head, greatest(1, (head - first) / 500)) as sample (seq)
           ) as "bytesPerEvent"
           from held where first is not null`,
  });
  return rows[0];
}

/** The last event up to a time, or the one before the first; found by halving, since times never go back. */
export async function lastUntil(queryable: Queryable, { first, head }: LogSize, time: Date): Promise<number> {
  let [low, high] = [first - 1, head];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const { rows } = await queryable.query<{ seq: number; time: Date }>({
      name: 'synchronizer.event-from',
      text: 'select seq, time from log where seq >= $1 order by seq limit 1',
      values: [middle],
    });
    const [event] = rows;
    if (event && event.time <= time) low = event.seq;
    else high = middle - 1;
  }
  return low;
}

const deletedMax = 5_000;

/** Removes the oldest events up to `seq`, some thousand a transaction. Says how many. */
export async function removeEvents(queryable: Queryable, seq: number, signal: AbortSignal): Promise<number> {
  for (let removed = 0; ;) {
    signal.throwIfAborted();
    const { rowCount } = await queryable.query({
      name: 'synchronizer.prune',
      text: `delete from log where seq <= least($1::bigint, (select min(seq) from log) + $2::bigint - 1)`,
      values: [seq, deletedMax],
    });
    removed += rowCount;
    if (rowCount === 0) return removed;
  }
}
