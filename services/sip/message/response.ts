import type { Refusal } from './limits.ts';
import { assemble } from './message.ts';
import type { Request } from './message.ts';
import { reasonPhrase } from './status.ts';
import { headerSafe } from './text.ts';

export type ResponseOptions = {
  readonly reason?: string | undefined;
  /** Added to To where the request has no tag there; responses but 100 need one (section 8.2.6.2). */
  readonly toTag?: string | undefined;
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly body?: Uint8Array | undefined;
};

const noBody = new Uint8Array(0);

/**
 * The response to a request (section 8.2.6): Via, From, To, Call-ID and CSeq are copied as they came, so that
 * a malformed request can be answered too.
 */
export function buildResponse(request: Request, status: number, options: ResponseOptions = {}): Buffer {
  const { reason = reasonPhrase(status), toTag, headers = [], body = noBody } = options;
  let head = `SIP/2.0 ${status} ${headerSafe(reason)}\r\n`;
  let copied = 0;
  for (const { name, start, end } of request.head.fields) {
    const bit = copyBit(name, status);
    const isFirst = (copied & bit) === 0;
    copied |= bit;
    if (bit === 0 || (!isFirst && bit !== viaBit)) continue;
    if (bit === toBit && toTag !== undefined) head += toLine(request, start, end, toTag);
    else head += request.head.text.slice(start, end);
  }
  for (const [name, value] of headers) head += `${headerSafe(name)}: ${headerSafe(value)}\r\n`;
  return assemble(`${head}Content-Length: ${body.length}\r\n\r\n`, body);
}

/** The response that refuses a request. */
export function buildRefusal(request: Request, refusal: Refusal, options: ResponseOptions = {}): Buffer {
  const headers = [...(refusal.headers ?? []), ...(options.headers ?? [])];
  return buildResponse(request, refusal.status, { ...options, reason: refusal.reason, headers });
}

/** Whether there is a Via to answer by, and a method that is answered: ACK never is (section 17). */
export function isAnswerable(request: Request): boolean {
  return request.has('via') && request.method !== 'ACK';
}

const viaBit = 1;
const toBit = 2;

/** A bit for each field that is copied, 0 for the others; Timestamp goes into a 100 only (section 8.2.6.1). */
function copyBit(name: string, status: number): number {
  switch (name) {
    case 'via':
      return viaBit;
    case 'to':
      return toBit;
    case 'from':
      return 4;
    case 'call-id':
      return 8;
    case 'cseq':
      return 16;
    case 'timestamp':
      return status === 100 ? 32 : 0;
    default:
      return 0;
  }
}

function toLine(request: Request, start: number, end: number, toTag: string): string {
  const line = request.head.text.slice(start, end);
  const isTagless = request.to !== undefined && !request.to.params.has('tag');
  return isTagless ? `${line.slice(0, -2)};tag=${headerSafe(toTag)}\r\n` : line;
}
