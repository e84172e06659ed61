import { DualhomeError } from '../errors/index.ts';
import { LogName } from '../names.ts';

/**
 * Consecutive events of one log. Payload: u8 log, u64 first seq, u32 count, 32 bytes hash of the
 * chain after the last event, then for each event u32 length and body. The bodies are the bytes
 * that are stored: nothing encodes them anew.
 */
export type EventsFrame = {
  readonly log: LogName;
  readonly firstSeq: number;
  readonly bodies: readonly Buffer[];
  /** Hash of the chain after the last of them. */
  readonly lastHash: Buffer;
};

const logNumbers: Readonly<Record<LogName, number>> = { configuration: 1, registration: 2 };
const hashBytes = 32;
/** Payload bytes of an EVENTS frame before its events. */
export const eventsHeadBytes = 1 + 8 + 4 + hashBytes;

export type EventsHead = Omit<EventsFrame, 'bodies'> & { readonly count: number };

/** What stands before the events, which are packed already (u32 length and body each). */
export function encodeEventsHead({ log, firstSeq, count, lastHash }: EventsHead): Buffer {
  const head = Buffer.allocUnsafe(eventsHeadBytes);
  head.writeUInt8(logNumbers[log], 0);
  head.writeBigUInt64BE(BigInt(firstSeq), 1);
  head.writeUInt32BE(count, 9);
  lastHash.copy(head, 13);
  return head;
}

/** The bodies are slices of `payload`. @throws LINK_FRAME_INVALID */
export function decodeEvents(payload: Buffer): EventsFrame {
  if (payload.length < eventsHeadBytes) throw invalid('its head is incomplete');
  const number = payload.readUInt8(0);
  const log = Object.values(LogName).find((name) => logNumbers[name] === number);
  if (log === undefined) throw invalid(`unknown log ${number}`);
  const firstSeq = Number(payload.readBigUInt64BE(1));
  if (!Number.isSafeInteger(firstSeq) || firstSeq < 1) throw invalid('its first seq is none');
  const bodies = decodeBodies(payload, payload.readUInt32BE(9));
  return { log, firstSeq, bodies, lastHash: payload.subarray(13, eventsHeadBytes) };
}

function decodeBodies(payload: Buffer, count: number): readonly Buffer[] {
  const bodies: Buffer[] = [];
  let offset = eventsHeadBytes;
  while (bodies.length < count) {
    if (offset + 4 > payload.length) throw invalid(`it ends within event ${bodies.length + 1} of ${count}`);
    const length = payload.readUInt32BE(offset);
    const end = offset + 4 + length;
    if (end > payload.length) throw invalid(`it ends within event ${bodies.length + 1} of ${count}`);
    bodies.push(payload.subarray(offset + 4, end));
    offset = end;
  }
  if (count === 0 || offset !== payload.length) throw invalid('count and length do not agree');
  return bodies;
}

function invalid(detail: string): DualhomeError {
  return new DualhomeError('LINK_FRAME_INVALID', { detail: `EVENTS: ${detail}` });
}
