import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Request, Response } from '../../services/sip/message/message.ts';
import { parseDatagram } from '../../services/sip/message/parse.ts';
import { buildResponse } from '../../services/sip/message/response.ts';
import { refusalOf } from '../../services/sip/message/validate.ts';

const corpusFolder = fileURLToPath(new URL('test/messages/', import.meta.resolve('sip/package.json')));

/** The torture messages of RFC 4475 by name, as the npm package `sip` ships them. */
export const corpus: ReadonlyMap<string, Buffer> = new Map(
  readdirSync(corpusFolder)
    .filter((file) => file.endsWith('.dat'))
    .map((file) => [file.slice(0, -4), readFileSync(join(corpusFolder, file))]),
);

/** The torture message of this name. */
export function torture(name: string): Buffer {
  const bytes = corpus.get(name);
  if (!bytes) throw new Error(`no torture message ${name}`);
  return bytes;
}

/** A message written as lines; an empty line and the body follow behind the last one. */
export function messageBytes(lines: readonly string[], body = ''): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

/** Parses a request that must be one, well-formed or not. */
export function asRequest(bytes: Buffer): Request {
  const message = parseDatagram(bytes);
  if (message.kind !== 'request') throw new Error(`${message.kind} instead of a request`);
  return message;
}

/** Parses a response that must be one. */
export function asResponse(bytes: Buffer): Response {
  const message = parseDatagram(bytes);
  if (message.kind !== 'response') throw new Error(`${message.kind} instead of a response`);
  return message;
}

/** A well-formed request; `fields` replace those of the same name or are added. */
export function aRequest(
  method: string,
  { uri = 'sip:bob@example.com', fields = {} }: { uri?: string; fields?: Record<string, string> } = {},
): Request {
  const all = {
    Via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds',
    'Max-Forwards': '70',
    From: '<sip:alice@example.com>;tag=1928301774',
    To: '<sip:bob@example.com>',
    'Call-ID': 'a84b4c76e66710@192.0.2.1',
    CSeq: `314159 ${method}`,
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  const request = asRequest(messageBytes([`${method} ${uri} SIP/2.0`, ...lines, 'Content-Length: 0']));
  const refusal = refusalOf(request);
  if (refusal) throw new Error(refusal.reason);
  return request;
}

/** The response a server would send to the request. */
export function responseTo(request: Request, status: number, headers: Record<string, string> = {}): Response {
  return asResponse(buildResponse(request, status, { toTag: 'callee', headers: Object.entries(headers) }));
}
