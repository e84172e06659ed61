import type { BestResponse } from '../../sip/proxy/best-response.ts';
import type { Refused } from '../../protocol/dispatch/common.ts';
import type { CallOutput } from './call-types.ts';
import type { Target } from './target.ts';

/** What is known of an attempt when the call ends. */
export type Tried = { readonly target: Target; readonly saidUnavailable: boolean };

/**
 * What upstream is told at the end. A response somebody gave goes on as it is. Where there is none: why a destination was
 * refused; 480 where the last flow had failed (430 is said among edges only, RFC 5626 section 5.3); 500 where somebody answered 503, which speaks of him and not of this element (RFC 3261 section 16.7 step 6);
 * 504 where next hops outside were silent; 480 where devices were. Never a 408 of our own making, which the callers'
 * devices take for the death of this site (RFC 3263 section 4.3).
 */
export function finalAnswer<R>(
  { status, response, challenges }: BestResponse<R | undefined>,
  refusal: Refused | undefined,
  tried: readonly Tried[],
): CallOutput<R> & { readonly kind: 'answer' } {
  const answer = (made: number, reason?: string) => ({
    kind: 'answer' as const,
    status: made,
    reason,
    response: made === status ? response : undefined,
    challenges: challenges.filter((challenge) => challenge !== undefined),
  });
  if (status === 430) return answer(480, 'No device is reached');
  if (response !== undefined || status === 487) return answer(status);
  if (refusal?.status === status) return answer(status, refusal.reason);
  if (status !== 408 && status !== 500) return answer(status);
  if (tried.some(({ saidUnavailable }) => saidUnavailable)) return answer(500);
  const isOutside = tried.some(({ target }) => target.kind === 'next-hop' || target.kind === 'onward');
  return isOutside ? answer(504, 'No next hop answers') : answer(480, 'No device answers');
}
