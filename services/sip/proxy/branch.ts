import { hash } from 'node:crypto';
import type { Request } from '../message/message.ts';
import { magicCookie, parseVia } from '../message/via.ts';
import type { Via } from '../message/via.ts';

/**
 * What makes a request the same one when it comes back (RFC 3261 section 16.6 step 8 as RFC 5393 section 4.2 changed
 * it): everything the choice of targets depends on, neither the method nor the topmost Via.
 */
export function loopHash(request: Request): string {
  const parts = [
    request.uriText,
    request.from?.params.get('tag') ?? '',
    request.to?.params.get('tag') ?? '',
    request.callId ?? '',
    String(request.cseq?.number ?? ''),
    ...request.values('route'),
    ...request.lines('proxy-require'),
    ...request.lines('proxy-authorization'),
  ];
  return hash('sha256', parts.join('\n'), 'base64url').slice(0, 16);
}

/** The branch of a forwarded request: `unique` tells transactions apart, the hash tells loops from spirals. */
export function makeBranch(unique: string, loop: string): string {
  return `${magicCookie}${unique}.${loop}`;
}

/** Whether this element has forwarded this very request before (section 16.3 step 4): then it is answered 482. */
export function hasLooped(request: Request, isOwn: (via: Via) => boolean): boolean {
  const vias = request.values('via').map((value) => parseVia(value));
  const own = vias.filter((via) => via !== undefined && isOwn(via));
  if (own.length === 0) return false;
  const suffix = `.${loopHash(request)}`;
  return own.some((via) => via?.params.get('branch')?.endsWith(suffix));
}
