import type { Target } from './target.ts';

/** Whether the target was not reached, so that it is worth trying the next of its chain: it said so, or nothing (undefined). */
export function isUnreached(status: number | undefined, { kind }: Target): boolean {
  if (status === undefined || status === 430) return true;
  return kind === 'next-hop' ? status === 408 || (status >= 500 && status < 600) : status === 503;
}

/** A "busy everywhere" ends every branch (RFC 3261 section 16.7 step 5), which it must not where the call goes on. */
export function asOneOfMany(status: number, isForwarded: boolean): number {
  return status === 600 && isForwarded ? 486 : status;
}
