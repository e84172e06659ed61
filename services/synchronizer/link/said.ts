import { DualhomeError, errorRegistry } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';
import type { Bye } from '../../protocol/link/frame.ts';

/** A code the other end used, if this software knows it. */
export function knownCode(code: string): ErrorCode | undefined {
  return Object.hasOwn(errorRegistry, code) ? (code as ErrorCode) : undefined;
}

/** Why the other end closed, as an error here; its fact `saidBy` tells it from one found on this side. */
export function errorSaid({ code, detail }: Bye): DualhomeError {
  const known = knownCode(code);
  return new DualhomeError(known ?? 'LINK_CLOSED', {
    detail: `said by the peer: ${known ? '' : `${code} `}${detail}`.trimEnd(),
    facts: { saidBy: 'peer' },
  });
}
