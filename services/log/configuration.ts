import { z } from 'zod';
import { DualhomeError, messageOf } from '../protocol/errors/index.ts';
import type { Actor, IncarnationBegun, RowChange, RowsChanged } from '../protocol/event.ts';
import {
  changedType,
  dataSchemaOf,
  eventFormat,
  eventId,
  incarnationBegunSchema,
  kindOfType,
  rowsChangedSchema,
} from '../protocol/event.ts';
import type { Position } from '../protocol/position.ts';
import type { Kind } from '../model/kind.ts';
import { compactRow, keyOf } from '../model/kind.ts';
import { kindNamed } from '../model/kinds.ts';
import type { Row } from '../model/table.ts';
import { incarnationsTable } from '../model/incarnations.ts';
import type { LoggedEvent } from './event.ts';
import type { BegunAt, LogDefinition } from './fold.ts';
import { RowVersions } from './row-versions.ts';

/** What every event of the configuration log says of its place and cause. */
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

/** The event "these rows of `kind` changed", ready to be stored. Its subject names one row or the first and last. */
export function rowsChangedEvent(kind: Kind, changes: readonly Change[], context: EventContext): LoggedEvent {
  const rows: RowChange[] = changes.map(({ key, before, after }) => ({
    key,
    before: before && compactRow(kind, before),
    after: after && compactRow(kind, after),
  }));
  const first = changes[0]?.key ?? '';
  const last = changes.at(-1)?.key ?? '';
  const subject = changes.length === 1 ? `${kind.name}/${first}` : `${kind.name}/${first}..${last}`;
  return encode(changedType(kind.name), subject, context, {
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

function unreadable(seq: number, detail: string, cause?: unknown): DualhomeError {
  return new DualhomeError('EVENT_UNREADABLE', { detail: `Event ${seq}: ${detail}`, facts: { seq }, cause });
}

/** The configuration log: events fold into one table a kind, and into the list of incarnations. */
export const configurationLog: LogDefinition = {
  name: 'configuration',
  fold(events, firstSeq) {
    const versions = new RowVersions();
    const begun: BegunAt[] = [];
    events.forEach(({ body, timeMs }, index) => {
      const seq = firstSeq + index;
      const event = readEvent(body, seq);
      if ('incarnation' in event.data) {
        const { incarnation, parent, reason } = event.data;
        begun.push({ seq, incarnation, parent });
        const row = {
          incarnation,
          first_seq: seq,
          parent_incarnation: parent?.incarnation ?? null,
          parent_seq: parent?.seq ?? null,
          parent_hash: parent?.hash ?? null,
          begun: new Date(timeMs).toISOString(),
          reason,
        };
        versions.put(incarnationsTable, incarnation, { row, seq });
        return;
      }
      const kind = kindNamed(kindOfType(event.type) ?? '');
      if (!kind) throw unreadable(seq, `unknown kind in ${event.type}`);
      for (const { key, after } of event.data.rows)
        versions.put(kind.table, key, { row: after as Row | null, seq });
    });
    return { changes: versions.changes(), begun };
  },
};

/** A change that leaves `row` behind under its own key. */
export const putting = (kind: Kind, before: Row | null, row: Row): Change => ({
  key: keyOf(kind, row),
  before,
  after: row,
});
