import { DualhomeError } from '../protocol/errors/index.ts';

const mark = Buffer.from(',"time":"');
const timeBytes = '2026-01-01T00:00:00.000Z'.length;

/**
 * When an event says it happened, read from its body without parsing it. The mark cannot occur within
 * a value, where JSON escapes quotes, and only `time` is called so before `data`.
 *
 * @throws EVENT_UNREADABLE naming `seq`
 */
export function eventTimeOf(body: Buffer, seq: number): number {
  const at = body.indexOf(mark);
  const text = at < 0 ? '' : body.toString('latin1', at + mark.length, at + mark.length + timeBytes);
  const timeMs = Date.parse(text);
  if (!Number.isNaN(timeMs) && text.endsWith('Z')) return timeMs;
  throw new DualhomeError('EVENT_UNREADABLE', { detail: `Event ${seq}: it has no time`, facts: { seq } });
}
