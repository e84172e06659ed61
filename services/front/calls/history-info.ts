import { parseAddress } from '../../sip/message/address.ts';
import type { Request } from '../../sip/message/message.ts';

/** Why a call went on (RFC 7544 section 2.2, RFC 4458): the `cause` of where it went. */
export const causes = { always: 302, busy: 486, noAnswer: 408, unreachable: 503 } as const;
export type ForwardingReason = keyof typeof causes;

/** Somebody a call was forwarded to, and why. */
export type Forwarding = { readonly from: string; readonly to: string; readonly reason: ForwardingReason };

/** Forwardings a call goes through at most. */
export const forwardingsMax = 5;

/** How often a request was forwarded before it came here, by those who say so (RFC 7044 section 5). */
export function earlierForwardings(request: Request): number {
  return Math.max(0, request.values('history-info').length - 1);
}

/** The History-Info values to add to a request that has been forwarded here (RFC 7044 section 10.3). */
export function historyInfo(request: Request, forwardings: readonly Forwarding[]): string[] {
  const [first] = forwardings;
  if (!first) return [];
  const present = request.values('history-info');
  const last = parseAddress(present.at(-1) ?? '')?.params.get('index');
  const added = last === undefined ? [`<sip:${first.from}>;index=1`] : [];
  let index = last ?? '1';
  for (const { from, to, reason } of forwardings) {
    const parent = index;
    index = `${parent}.1`;
    added.push(`<sip:${addressOf(to, from)};cause=${causes[reason]}>;index=${index};mp=${parent}`);
  }
  return added;
}

/** A number is written in the domain of who forwards to it. */
function addressOf(to: string, from: string): string {
  return to.includes('@') ? to : `${to}${from.slice(from.indexOf('@'))}`;
}
