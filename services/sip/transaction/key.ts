import type { Request, Response } from '../message/message.ts';
import { magicCookie } from '../message/via.ts';

/**
 * What a request's server transaction is found by (RFC 3261 section 17.2.3): branch, sent-by and method, an ACK
 * counting as its INVITE. A branch that is no more than the magic cookie identifies nothing (RFC 4475 section
 * 3.2.1), so it goes by the rules of RFC 2543 as one without cookie does. Call with a well-formed request.
 */
export function serverKey(request: Request, method = request.method): string {
  const { via } = request;
  const branch = via?.params.get('branch') ?? '';
  const effective = method === 'ACK' ? 'INVITE' : method;
  if (!via || !hasUniqueBranch(branch)) return rfc2543Key(request, effective);
  return flat(branch, via.host.toLowerCase(), via.port ?? '', effective);
}

/** What a response's client transaction is found by (section 17.1.3): branch of the top Via and CSeq method. */
export function clientKey(message: Request | Response): string {
  return flat(message.via?.params.get('branch') ?? '', message.cseq?.method ?? '');
}

/** One string of its own: parts of a message put together by `+` would hold the message for as long. */
function flat(...parts: readonly (string | number)[]): string {
  return parts.join('\n');
}

function hasUniqueBranch(branch: string): boolean {
  return branch.startsWith(magicCookie) && branch.length > magicCookie.length;
}

/**
 * Request-URI, From tag, Call-ID, CSeq number and top Via. The To tag is left out: an ACK carries the one the
 * response brought, which the INVITE did not have.
 */
function rfc2543Key(request: Request, method: string): string {
  const fromTag = request.from?.params.get('tag') ?? '';
  const cseq = request.cseq?.number ?? '';
  return flat(request.uriText, fromTag, request.callId ?? '', cseq, request.top('via') ?? '', method);
}
