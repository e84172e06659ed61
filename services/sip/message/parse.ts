import { badRequest, defaultLimits } from './limits.ts';
import type { MessageLimits, Refusal } from './limits.ts';
import { Request, Response } from './message.ts';
import type { Head } from './message.ts';
import { parseHead } from './parse-head.ts';

/** A datagram of line breaks only: a keep-alive (RFC 5626 section 3.5.1 on streams, common practice on UDP). */
export type KeepAlive = { readonly kind: 'keep-alive' };

/** Not SIP, or so broken that nothing can be answered: it is dropped. */
export type Rubbish = { readonly kind: 'rubbish' };

/**
 * Parses what one datagram carries (RFC 3261 section 18.3): the body ends where Content-Length says, bytes
 * behind it are left out; without Content-Length the body is the rest; with a longer one the message is cut off
 * and refused. Line breaks before the start line are skipped (section 7.5).
 */
export function parseDatagram(
  bytes: Buffer,
  limits: MessageLimits = defaultLimits,
): Request | Response | KeepAlive | Rubbish {
  const start = skipLineBreaks(bytes);
  if (start === bytes.length) return { kind: 'keep-alive' };
  const empty = bytes.indexOf(emptyLine, start);
  const headEnd = empty < 0 ? bytes.length : empty + 4;
  const head = parseHead(bytes.toString('latin1', start, headEnd), limits);
  if (!head) return { kind: 'rubbish' };
  const rest = bytes.subarray(headEnd);
  const { contentLength = rest.length } = head;
  const fault =
    head.fault ??
    (contentLength > rest.length ? badRequest('Body Shorter Than Content-Length') : undefined) ??
    (bytes.length > limits.messageBytesMax ? { status: 513, reason: 'Message Too Large' } : undefined);
  return messageOf(head, rest.subarray(0, contentLength), fault);
}

/** Head and body as a request or response. */
export function messageOf(
  head: Head,
  body: Buffer,
  fault: Refusal | undefined = head.fault,
): Request | Response {
  const { startLine } = head;
  return startLine.kind === 'request'
    ? new Request({ ...head, startLine, fault }, body)
    : new Response({ ...head, startLine, fault }, body);
}

/** Ends the head. */
export const emptyLine = Buffer.from('\r\n\r\n');

function skipLineBreaks(bytes: Buffer): number {
  let start = 0;
  while (bytes[start] === 0x0d || bytes[start] === 0x0a) start++;
  return start;
}
