import type { RowsChanged } from '../protocol/event.ts';
import type { LogEvent } from '../protocol/rest/log.ts';
import type { LogDefinition } from '../log/definition.ts';
import { readEvent } from '../log/events.ts';
import type { StoredEvent } from '../log/read.ts';
import { maskRow } from './change/secrets.ts';

/** An event as it is shown: a mark in place of each secret. @throws EVENT_UNREADABLE */
export function showEvent(log: LogDefinition, { seq, timeMs, body, hash }: StoredEvent): LogEvent {
  const event = readEvent(body, seq);
  const shown = 'rows' in event.data ? { ...event, data: masked(log, event as RowsChanged) } : event;
  return {
    seq,
    time: new Date(timeMs).toISOString(),
    hash: hash.toString('hex'),
    bytes: body.length,
    event: shown,
  };
}

/** Whether an event is about `subject`: by its own, or by that of one of its rows. */
export function isAbout(log: LogDefinition, { event }: LogEvent, subject: string): boolean {
  if (event['subject'] === subject) return true;
  const { type, data } = event as RowsChanged;
  const kind = log.kindOf(type);
  return kind !== undefined && data.rows.some(({ key }) => `${kind.name}/${key}` === subject);
}

function masked(log: LogDefinition, { type, data }: RowsChanged): RowsChanged['data'] {
  const kind = log.kindOf(type);
  if (!kind) return data;
  const rows = data.rows.map(({ key, before, after }) => ({
    key,
    before: before && maskRow(kind, before),
    after: after && maskRow(kind, after),
  }));
  return { ...data, rows };
}
