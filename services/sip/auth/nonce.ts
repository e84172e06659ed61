import { openToken, sealToken } from './token.ts';
import type { TokenKeys } from './token.ts';

/** Nonces are told apart by a number below this, within their millisecond. */
export const uniqueMax = 2 ** 48 - 1;

/** A nonce as far as it can be judged by itself; `fresh` still has to be counted (`NonceCounts`). */
export type NonceState =
  { readonly kind: 'fresh' | 'old'; readonly issuedMs: number } | { readonly kind: 'foreign' };

/**
 * A nonce no state has to be kept for: time of issue and `unique` (random, below `uniqueMax`), signed for this realm
 * with the site's key (RFC 7616 section 5.4).
 */
export function makeNonce(keys: TokenKeys, realm: string, nowMs: number, unique: number): string {
  const payload = Buffer.allocUnsafe(12);
  payload.writeUIntBE(nowMs, 0, 6);
  payload.writeUIntBE(unique, 6, 6);
  return sealToken(keys, purposeOf(realm), payload);
}

/** Whether the nonce is this site's for this realm and not older than `lifetimeMs`. */
export function judgeNonce(
  keys: TokenKeys,
  realm: string,
  nonce: string,
  nowMs: number,
  lifetimeMs: number,
): NonceState {
  const payload = openToken(keys, purposeOf(realm), nonce);
  if (!payload) return { kind: 'foreign' };
  const issuedMs = payload.readUIntBE(0, 6);
  return { kind: nowMs - issuedMs <= lifetimeMs ? 'fresh' : 'old', issuedMs };
}

function purposeOf(realm: string): string {
  return `nonce ${realm}`;
}
