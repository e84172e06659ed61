import { timingSafeEqual } from 'node:crypto';
import { hmacSha256 } from './hmac.ts';

/** Bytes of the signature that are kept; 128 bits. */
const macBytes = 16;

/** Keys that sign tokens: the first signs, all of them open, so that keys can be changed without a gap. */
export type TokenKeys = readonly [Buffer, ...Buffer[]];

/**
 * A signed token that fits into the user part of a URI and into a quoted-string: signature and payload in base64url.
 * What it is for is signed too, so that a token made for one purpose opens nothing else. The payload can be read by
 * anyone.
 */
export function sealToken(keys: TokenKeys, purpose: string, payload: Buffer): string {
  return Buffer.concat([mac(keys[0], purpose, payload), payload]).toString('base64url');
}

/** The payload of a token one of the keys signed for this purpose; undefined for any other text. */
export function openToken(keys: TokenKeys, purpose: string, token: string): Buffer | undefined {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length < macBytes || bytes.toString('base64url') !== token) return undefined;
  const payload = bytes.subarray(macBytes);
  const signature = bytes.subarray(0, macBytes);
  return keys.some((key) => timingSafeEqual(mac(key, purpose, payload), signature)) ? payload : undefined;
}

function mac(key: Buffer, purpose: string, payload: Buffer): Buffer {
  return hmacSha256(key, Buffer.concat([Buffer.from(`${purpose}\0`), payload])).subarray(0, macBytes);
}
