import { Request } from '../message/message.ts';
import { headerSafe } from '../message/text.ts';
import { formatVia } from '../message/via.ts';
import type { HeaderField } from '../message/message.ts';
import type { Via } from '../message/via.ts';

/** Where a message came from or goes to; an IPv6 address has no brackets. */
export type Endpoint = { readonly address: string; readonly port: number };

/**
 * The top Via of a request with what its receiver must note in it: `received` where sent-by is not the source
 * address (RFC 3261 section 18.2.1), `received` and `rport` where the sender asked for them (RFC 3581 section 4).
 * A `received` or `rport` the sender filled in himself is overwritten: it would aim our responses at others.
 * Undefined where the Via can stay as it is.
 */
export function stampVia(via: Via, source: Endpoint): Via | undefined {
  const asksForPort = via.params.has('rport');
  const isSource = bare(via.host) === source.address.toLowerCase();
  if (!asksForPort && isSource && !via.params.has('received')) return undefined;
  const params = via.params.with('received', source.address);
  return { ...via, params: asksForPort ? params.with('rport', String(source.port)) : params };
}

/**
 * The request with its top Via noted so: whatever is made of it, responses and what is forwarded, then carries the note.
 * The request itself where nothing has to be noted.
 */
export function stampRequest(request: Request, source: Endpoint): Request {
  const stamped = request.via && stampVia(request.via, source);
  const at = request.head.fields.findIndex(({ name }) => name === 'via');
  const field = request.head.fields[at];
  if (stamped === undefined || !field) return request;
  const { head, body } = request;
  const others = (request.value('via') ?? '').slice(request.top('via')?.length ?? 0);
  const line = `Via: ${headerSafe(formatVia(stamped))}${others}\r\n`;
  const grown = line.length - (field.end - field.start);
  const valueStart = field.start + 'Via: '.length;
  const fields = head.fields.map((each, i) => (i > at ? moved(each, grown) : each));
  const end = field.end + grown;
  fields[at] = { name: 'via', start: field.start, valueStart, valueEnd: end - 2, end, folded: false };
  const text = head.text.slice(0, field.start) + line + head.text.slice(field.end);
  return new Request({ ...head, text, fields }, body, stamped);
}

function moved({ name, start, valueStart, valueEnd, end, folded }: HeaderField, by: number): HeaderField {
  return {
    name,
    start: start + by,
    valueStart: valueStart + by,
    valueEnd: valueEnd + by,
    end: end + by,
    folded,
  };
}

/**
 * Where a response goes by its top Via over an unreliable transport, or when a connection is gone (RFC 3261
 * section 18.2.2, RFC 3581 section 4). `maddr` is not followed: with unicast it only aims responses at others.
 */
export function responseEndpoint(via: Via): Endpoint {
  const defaultPort = via.transport === 'TLS' ? 5061 : 5060;
  const port = Number(via.params.get('rport') ?? via.port ?? defaultPort);
  return { address: via.params.get('received') ?? bare(via.host), port };
}

/** A host without the brackets of an IPv6 reference, in lower case. */
export function bare(host: string): string {
  return (host.startsWith('[') ? host.slice(1, -1) : host).toLowerCase();
}
