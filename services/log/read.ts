import type { Queryable } from '../platform/postgres/statement.ts';

/** One stored event with its place in the chain. */
export type StoredEvent = {
  readonly seq: number;
  readonly timeMs: number;
  readonly body: Buffer;
  readonly hash: Buffer;
};

type LogRow = { readonly seq: number; readonly time: Date; readonly body: Buffer; readonly hash: Buffer };

/** How much one read may return: whichever limit is reached first, but at least one event. */
export type ReadLimit = { readonly eventsMax: number; readonly bytesMax: number };

/**
 * Events after `seq` in order, up to the limit. What is committed is dense, so an answer without
 * rows means that `seq` is the head.
 */
export async function readAfter(
  queryable: Queryable,
  seq: number,
  { eventsMax, bytesMax }: ReadLimit,
): Promise<readonly StoredEvent[]> {
  const { rows } = await queryable.query<LogRow>({
    name: 'log.read',
    text: `select seq, time, body, hash from (
             select seq, time, body, hash, sum(octet_length(body)) over (order by seq) - octet_length(body) as before
             from log where seq > $1 and seq <= $1 + $2::bigint
           ) as event where before < $3 order by seq`,
    values: [seq, eventsMax, bytesMax],
  });
  return rows.map(({ seq: at, time, body, hash }) => ({ seq: at, timeMs: time.getTime(), body, hash }));
}

/** Hash of the chain at `seq`, or undefined where the log does not hold that event. */
export async function hashAt(queryable: Queryable, seq: number): Promise<Buffer | undefined> {
  const { rows } = await queryable.query<{ hash: Buffer }>({
    name: 'log.hash-at',
    text: 'select hash from log where seq = $1',
    values: [seq],
  });
  return rows[0]?.hash;
}
