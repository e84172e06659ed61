import { flow } from '../../model/flow.ts';
import type { FlowRow } from '../../model/flow.ts';
import type { Begun } from '../../model/flow-preference.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';
import type { IncarnationBegun, RowsChanged } from '../../protocol/event.ts';

/** A flow as it is recorded, with the event that left it so. */
export type RecordedFlow = FlowRow & { readonly seq: number };

const pageRows = 5_000;
const columns = Object.keys(flow.fields).join(', ');

/** Every flow recorded in a schema, page by page. */
export async function* readFlows(shared: Queryable, schema: string): AsyncGenerator<readonly RecordedFlow[]> {
  for (let after = ''; ;) {
    const { rows } = await shared.query<RecordedFlow>({
      name: `front.flows.${schema}`,
      text: `select ${columns}, seq from ${schema}.flows where key > $1 order by key limit ${pageRows}`,
      values: [after],
    });
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) return;
    after = rows.at(-1)?.key ?? '';
  }
}

/** Where the incarnations of the registration log of a schema began, the first one first. */
export async function readBegun(shared: Queryable, schema: string): Promise<readonly Begun[]> {
  const { rows } = await shared.query<Begun>({
    name: `front.begun.${schema}`,
    text: `select incarnation, first_seq as "firstSeq" from ${schema}.incarnations order by first_seq`,
  });
  return rows;
}

/** Where a peer's registration log stands here. */
export type PeerHead = {
  readonly incarnation: string;
  readonly seq: number;
  /** Snapshots swapped in so far: each replaces flows without an event. */
  readonly snapshots: number;
};

export async function readPeerHead(shared: Queryable, schema: string): Promise<PeerHead> {
  const { rows } = await shared.query<PeerHead>({
    name: `front.head.${schema}`,
    text: `select incarnation, seq, (select count(*) from ${schema}.snapshots) as snapshots
           from ${schema}.log_head`,
  });
  const [head] = rows;
  if (!head) throw new Error(`${schema}.log_head has no row: the schema is not migrated`);
  return head;
}

/** Consecutive events of a peer's log; the lane that stored them has verified and validated each. */
export type PeerEvents = {
  /** Null where there is none. */
  readonly firstSeq: number | null;
  readonly events: readonly (RowsChanged | IncarnationBegun)[];
};

/** At most `eventsMax` events of a peer after `seq`, in order. */
export async function readPeerEvents(
  shared: Queryable,
  schema: string,
  seq: number,
  eventsMax: number,
): Promise<PeerEvents> {
  // All as one text: the driver took longer for a row and a buffer each than for everything else.
  const { rows } = await shared.query<{ firstSeq: number | null; bodies: string | null }>({
    name: `front.events.${schema}`,
    text: `select min(seq) as "firstSeq", convert_from(string_agg(body, ',' order by seq), 'UTF8') as bodies
           from (select seq, body from ${schema}.log where seq > $1 order by seq limit $2) as event`,
    values: [seq, eventsMax],
  });
  const { firstSeq = null, bodies } = rows[0] ?? {};
  return { firstSeq, events: JSON.parse(`[${bodies ?? ''}]`) as PeerEvents['events'] };
}
