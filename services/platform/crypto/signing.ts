import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { Secret } from '../logging/secret.ts';

/** A new Ed25519 key (PKCS #8 PEM). */
export function generateSigningKey(): Secret {
  const { privateKey } = generateKeyPairSync('ed25519');
  return new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

/** Signs with one Ed25519 key (RFC 8032); signatures are base64. */
export class Signer {
  readonly #key: KeyObject;

  /** @throws CRYPTO_KEY_INVALID */
  constructor(privateKeyPem: Secret) {
    this.#key = ed25519(() => createPrivateKey(privateKeyPem.reveal()));
  }

  /** What others verify with (SPKI PEM). */
  get publicKeyPem(): string {
    return createPublicKey(this.#key).export({ type: 'spki', format: 'pem' }).toString();
  }

  sign(data: string | Uint8Array): string {
    return sign(null, bytesOf(data), this.#key).toString('base64');
  }
}

/** Verifies what one `Signer` signed. */
export class Verifier {
  readonly #key: KeyObject;

  /** @throws CRYPTO_KEY_INVALID */
  constructor(publicKeyPem: string) {
    this.#key = ed25519(() => createPublicKey(publicKeyPem));
  }

  /** False for every signature that is not exactly that signer's over exactly `data`. */
  verify(data: string | Uint8Array, signature: string): boolean {
    return verify(null, bytesOf(data), this.#key, Buffer.from(signature, 'base64'));
  }
}

function ed25519(read: () => KeyObject): KeyObject {
  try {
    const key = read();
    if (key.asymmetricKeyType === 'ed25519') return key;
    throw new Error(`the key type is ${key.asymmetricKeyType}`);
  } catch (cause) {
    throw new DualhomeError('CRYPTO_KEY_INVALID', { detail: 'not an Ed25519 key', cause });
  }
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
}
