import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { DualhomeError, messageOf } from '../protocol/errors/index.ts';
import type { Actor, EventPrefix, IncarnationBegun, RowChange, RowsChanged } from '../protocol/event.ts';
import {
  changedType,
  dataSchemaOf,
  eventFormat,
  eventId,
  incarnationBegunSchema,
  rowsChangedSchema,
} from '../protocol/event.ts';
import type { Position } from '../protocol/position.ts';
import type { Kind } from '../model/kind.ts';
import { compactRow, keyOf } from '../model/kind.ts';
import type { Row } from '../model/table.ts';
import type { LoggedEvent } from './event.ts';

/** What every event says of its place and cause. */
export type EventContext = {
  readonly site: string;
  readonly incarnation: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly actor: Actor;
  readonly reason: string;
};

/** A row's change as the caller holds it: complete rows, null where there was or will be none. */
export type Change = { readonly key: string; readonly before: Row | null; readonly after: Row | null };

/** The event "these rows of `kind` changed" of the log that has the kind, ready to be stored. Its subject names one row or the first and last. */
export function rowsChangedEvent(
  { eventPrefix }: { readonly eventPrefix: EventPrefix },
  kind: Kind,
  changes: readonly Change[],
  context: EventContext,
): LoggedEvent {
  const rows: RowChange[] = changes.map(({ key, before, after }) => ({
    key,
    before: before && compactRow(kind, before),
    after: after && compactRow(kind, after),
  }));
  const first = changes[0]?.key ?? '';
  const last = changes.at(-1)?.key ?? '';
  const subject = changes.length === 1 ? `${kind.name}/${first}` : `${kind.name}/${first}..${last}`;
  return encode(changedType(eventPrefix, kind.name), subject, context, {
    actor: context.actor,
    reason: context.reason,
    rows,
  });
}

/** The first event of the incarnation that `context` names; `parent` is the position it goes on from. */
export function incarnationBegunEvent(parent: Position | null, context: EventContext): LoggedEvent {
  const data: IncarnationBegun['data'] = {
    actor: context.actor,
    reason: context.reason,
    incarnation: context.incarnation,
    parent: parent && { incarnation: parent.incarnation, seq: parent.seq, hash: parent.hash.toString('hex') },
  };
  return encode('log.incarnation.begun', `incarnation/${context.incarnation}`, context, data);
}

function encode(type: string, subject: string, context: EventContext, data: object): LoggedEvent {
  const { site, incarnation, seq, timeMs } = context;
  const envelope = {
    specversion: '1.0',
    id: eventId(incarnation, seq),
    source: site,
    type,
    subject,
    time: new Date(timeMs).toISOString(),
    dataschema: dataSchemaOf(eventFormat),
    data,
  };
  return { timeMs, body: Buffer.from(JSON.stringify(envelope)) };
}

/** Parses an event's body. @throws EVENT_UNREADABLE naming `seq`. */
export function readEvent(body: Buffer, seq: number): RowsChanged | IncarnationBegun {
  if (!isUtf8(body)) throw unreadable(seq, 'it is no UTF-8');
  let value: { readonly dataschema?: unknown; readonly type?: unknown } | null;
  try {
    value = JSON.parse(body.toString()) as typeof value;
  } catch (error) {
    throw unreadable(seq, messageOf(error), error);
  }
  if (value?.dataschema !== dataSchemaOf(eventFormat))
    throw unreadable(seq, `unknown format ${String(value?.dataschema)}`);
  const schema = value.type === 'log.incarnation.begun' ? incarnationBegunSchema : rowsChangedSchema;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw unreadable(seq, z.prettifyError(parsed.error), parsed.error);
  return parsed.data;
}

export function unreadable(seq: number, detail: string, cause?: unknown): DualhomeError {
  return new DualhomeError('EVENT_UNREADABLE', { detail: `Event ${seq}: ${detail}`, facts: { seq }, cause });
}

/** A change that leaves `row` behind under its own key. */
export const putting = (kind: Kind, before: Row | null, row: Row): Change => ({
  key: keyOf(kind, row),
  before,
  after: row,
});
