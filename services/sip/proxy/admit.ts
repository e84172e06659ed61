import type { Refusal } from '../message/limits.ts';
import type { Request } from '../message/message.ts';
import { extensionFault } from '../message/validate.ts';
import type { Via } from '../message/via.ts';
import { hasLooped } from './branch.ts';

/**
 * Why a well-formed request is not forwarded (RFC 3261 section 16.3 steps 3 to 5), or undefined. Whoever answers
 * OPTIONS itself asks about it only when it would forward it (section 11).
 */
export function forwardingFault(
  request: Request,
  proxy: { readonly isOwnVia: (via: Via) => boolean; readonly extensions: readonly string[] },
): Refusal | undefined {
  if (request.maxForwards === 0) return { status: 483, reason: 'Too Many Hops' };
  if (hasLooped(request, proxy.isOwnVia)) return { status: 482, reason: 'Loop Detected' };
  return extensionFault(request, 'proxy-require', proxy.extensions);
}
