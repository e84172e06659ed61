import { flow } from '../../model/flow.ts';
import type { FlowRow } from '../../model/flow.ts';
import type { Begun } from '../../model/flow-preference.ts';
import type { LoggedEvent } from '../../log/event.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';

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

export type PeerEvent = LoggedEvent & { readonly seq: number };

/** At most `eventsMax` events of a peer after `seq`, in order. */
export async function readPeerEvents(
  shared: Queryable,
  schema: string,
  seq: number,
  eventsMax: number,
): Promise<readonly PeerEvent[]> {
  const { rows } = await shared.query<{ seq: number; time: Date; body: Buffer }>({
    name: `front.events.${schema}`,
    text: `select seq, time, body from ${schema}.log where seq > $1 order by seq limit $2`,
    values: [seq, eventsMax],
  });
  return rows.map(({ seq: at, time, body }) => ({ seq: at, timeMs: time.getTime(), body }));
}
