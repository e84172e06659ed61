import { DualhomeError } from '../protocol/errors/index.ts';
import type { Queryable } from '../platform/postgres/statement.ts';
import { ChainCheck, broken } from './chain.ts';
import { heldAfter } from './held.ts';
import type { Base } from './held.ts';
import { readAfter } from './read.ts';
import type { ReadLimit } from './read.ts';

export type VerifyChainOptions = {
  /** Begin behind this event, which is taken for granted; by default at the first that can be proven. */
  readonly after?: number | undefined;
  /** Called after each batch with the last event proven and the head. */
  readonly onProgress?: ((seq: number, head: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type ChainProof = {
  /** The first event proven, and the last, which is the head. */
  readonly from: number;
  readonly to: number;
  readonly events: number;
};

const batch: ReadLimit = { eventsMax: 1000, bytesMax: 4 * 1024 * 1024 };

type Ends = {
  readonly incarnation: string;
  readonly seq: number;
  readonly hash: Buffer;
  readonly last: number;
};

/**
 * Recomputes the chain of a log up to its head, in batches and with flat memory. The log may grow meanwhile; what was
 * the head at the start is what is proven.
 *
 * @throws LOG_BROKEN with the first seq that is missing, altered or out of its place; LOG_NOT_HELD where `after` is not held
 */
export async function verifyChain(
  queryable: Queryable,
  { after, onProgress, signal }: VerifyChainOptions = {},
): Promise<ChainProof> {
  const head = await readEnds(queryable);
  const base = after === undefined ? await heldAfter(queryable) : await baseAt(queryable, after);
  const check = new ChainCheck(base);
  for (let { seq } = base; seq < head.seq;) {
    signal?.throwIfAborted();
    const events = await readAfter(queryable, seq, {
      ...batch,
      eventsMax: Math.min(batch.eventsMax, head.seq - seq),
    });
    if (events.length === 0) throw broken(seq + 1, 'seq', 'it is missing');
    for (const event of events) check.check(event);
    await checkPrecision(queryable, seq, check.position.seq);
    seq = check.position.seq;
    onProgress?.(seq, head.seq);
  }
  checkHead(check.position, head);
  return { from: base.seq + 1, to: head.seq, events: head.seq - base.seq };
}

/** Head and last event in one statement, so that both are of the same moment. */
async function readEnds(queryable: Queryable): Promise<Ends> {
  const { rows } = await queryable.query<Ends>({
    name: 'log.ends',
    text: 'select incarnation, seq, hash, coalesce((select max(seq) from log), 0) as last from log_head',
  });
  const [ends] = rows;
  if (!ends) throw new Error('log_head has no row: the schema is not migrated');
  return ends;
}

/** Times are whole milliseconds, which is all that reading them as a Date shows. */
async function checkPrecision(queryable: Queryable, after: number, to: number): Promise<void> {
  const { rows } = await queryable.query<{ seq: number | null }>({
    name: 'log.finer-time',
    text: `select min(seq) as seq from log
           where seq > $1 and seq <= $2 and time <> date_trunc('milliseconds', time)`,
    values: [after, to],
  });
  const seq = rows[0]?.seq;
  if (typeof seq === 'number') throw broken(seq, 'time', 'its time is not the one in its body');
}

async function baseAt(queryable: Queryable, seq: number): Promise<Base> {
  const held = await heldAfter(queryable);
  if (held.seq === seq) return held;
  const { rows } = await queryable.query<{ hash: Buffer }>('select hash from log where seq = $1', [seq]);
  const [event] = rows;
  if (!event || seq < held.seq)
    throw new DualhomeError('LOG_NOT_HELD', {
      detail: `It is complete from ${held.seq + 1} on.`,
      facts: { seq, completeFrom: held.seq + 1 },
    });
  return { seq, hash: event.hash, incarnation: undefined };
}

function checkHead(proven: Base, head: Ends): void {
  if (head.last > head.seq) throw broken(head.seq + 1, 'head', 'it lies beyond the head');
  if (!head.hash.equals(proven.hash)) throw broken(head.seq, 'head', 'the head has another hash');
  if (proven.incarnation !== undefined && proven.incarnation !== head.incarnation)
    throw broken(
      head.seq,
      'head',
      `the head says incarnation ${head.incarnation}, the event ${proven.incarnation}`,
    );
}
