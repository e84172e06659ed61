import type { Queryable } from '../../platform/postgres/statement.ts';
import type { Position } from '../../protocol/position.ts';

/** Events as they travel: u32 length and body of each, packed by the server. */
export type PackedEvents = {
  readonly firstSeq: number;
  readonly count: number;
  readonly packed: Buffer;
  /** Hash of the chain after the last of them. */
  readonly lastHash: Buffer;
};

/** The events that follow `seq`, at least one where there is any; undefined at the head. */
export async function readPacked(
  own: Queryable,
  seq: number,
  eventsMax: number,
  bytesMax: number,
): Promise<PackedEvents | undefined> {
  // One value instead of a row an event: the driver parses text, 4 values an event cost it more than the read.
  const { rows } = await own.query<PackedEvents & { readonly count: number }>({
    name: 'synchronizer.read-packed',
    text: `select min(seq) as "firstSeq", count(*)::int as count,
                  string_agg(int4send(octet_length(body)) || body, ''::bytea order by seq) as packed,
                  (select hash from log where seq = max(event.seq)) as "lastHash"
           from (
             select seq, body, sum(octet_length(body)) over (order by seq rows unbounded preceding) - octet_length(body) as before
             from log where seq > $1 and seq <= $1 + $2::bigint
           ) as event where before < $3`,
    values: [seq, eventsMax, bytesMax],
  });
  const [events] = rows;
  return events && events.count > 0 ? events : undefined;
}

/** The head as it is now, the oldest event held, and what the log holds at a seq seen before. */
export type OwnState = {
  readonly head: Position;
  readonly firstSeq: number | null;
  readonly hashAtSeen: Buffer | null;
};

export async function readOwnState(own: Queryable, seenSeq: number): Promise<OwnState> {
  const { rows } = await own.query<Position & Omit<OwnState, 'head'>>({
    name: 'synchronizer.own-state',
    text: `select incarnation, seq, hash, (select min(seq) from log) as "firstSeq",
                  (select hash from log where seq = $1) as "hashAtSeen"
           from log_head`,
    values: [seenSeq],
  });
  const [row] = rows;
  if (!row) throw new Error('log_head has no row: the schema is not migrated');
  const { incarnation, seq, hash, firstSeq, hashAtSeen } = row;
  return { head: { incarnation, seq, hash }, firstSeq, hashAtSeen };
}

/** What a log of this site knows of a position of a copy. */
export type OwnFacts = {
  readonly head: Position;
  /** The oldest event held; null in an empty log. */
  readonly firstSeq: number | null;
  /** Hash of the chain at the position's seq, from its event or from an incarnation that goes on from it; null where unknown. */
  readonly hashAt: Buffer | null;
  /** The incarnation the event at that seq belongs to; null where the log knows of none. */
  readonly incarnationAt: string | null;
  /** Whether the position's incarnation is one of this log. */
  readonly knowsIncarnation: boolean;
};

export async function readOwnFacts(own: Queryable, position: Position): Promise<OwnFacts> {
  const { rows } = await own.query<Position & Omit<OwnFacts, 'head'>>({
    name: 'synchronizer.own-facts',
    text: `select incarnation, seq, hash, (select min(seq) from log) as "firstSeq",
                  coalesce(
                    (select hash from log where seq = $1),
                    (select decode(parent_hash, 'hex') from incarnations
                     where parent_seq = $1 and parent_incarnation = $2 limit 1)
                  ) as "hashAt",
                  (select incarnation from incarnations where first_seq <= $1 order by first_seq desc limit 1)
                    as "incarnationAt",
                  exists (select from incarnations where incarnation = $2) as "knowsIncarnation"
           from log_head`,
    values: [position.seq, position.incarnation],
  });
  const [row] = rows;
  if (!row) throw new Error('log_head has no row: the schema is not migrated');
  const { incarnation, seq, hash, ...facts } = row;
  return { head: { incarnation, seq, hash }, ...facts };
}

/** Events after a seq: about how many bytes, and how old the first of them is. */
export type Backlog = { readonly bytes: number; readonly oldestAt: Date | null };

export async function readBacklog(own: Queryable, sentSeq: number, appliedSeq: number): Promise<Backlog> {
  // The first thousand stand for all, so that a backlog of millions is not read once a second.
  const { rows } = await own.query<Backlog>({
    name: 'synchronizer.backlog',
    text: `select coalesce(avg(octet_length(body)), 0)::float8
                    * greatest(0, (select seq from log_head) - $1::bigint) as bytes,
                  (select time from log where seq = $2::bigint + 1) as "oldestAt"
           from (select body from log where seq > $1 order by seq limit 1000) as event`,
    values: [sentSeq, appliedSeq],
  });
  return rows[0] ?? { bytes: 0, oldestAt: null };
}
