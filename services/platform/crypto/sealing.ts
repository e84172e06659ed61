import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { Secret } from '../logging/secret.ts';

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** One key from which everything sealing needs is derived, each for its own purpose. */
export type SealingKey = Secret<Uint8Array>;

export function generateSealingKey(): SealingKey {
  return new Secret<Uint8Array>(randomBytes(keyBytes));
}

/** Key objects, because making one of bytes for each value takes longer than the rest of sealing. */
type DerivedKeys = { readonly id: string; readonly encryption: KeyObject; readonly nonce: KeyObject };

/**
 * Encrypts small values so that they can be stored, replicated and compared while closed. Sealed text is
 * `<key id>:<base64 of nonce, tag, ciphertext>`.
 *
 * The nonce is derived from key, context and value, so the same value in the same context always seals to the same
 * text: an unchanged secret is an unchanged column. Nothing else about a value shows, and two contexts never seal
 * alike. Invariant: a nonce is used for one (context, value) only.
 */
export class Sealer {
  readonly #own: DerivedKeys;
  readonly #keysById: ReadonlyMap<string, DerivedKeys>;

  /** Seals with `own`; opens what was sealed with `own` or `others`. @throws CRYPTO_KEY_INVALID */
  constructor(own: SealingKey, others: readonly SealingKey[] = []) {
    this.#own = derive(own);
    this.#keysById = new Map([this.#own, ...others.map(derive)].map((keys) => [keys.id, keys]));
  }

  /** Names the own key without revealing it. */
  get keyId(): string {
    return this.#own.id;
  }

  /** `context` says where the value belongs (which column of which row); only there can it be opened. */
  seal(value: Secret, context: string): string {
    const { id, encryption, nonce: nonceKey } = this.#own;
    const plaintext = Buffer.from(value.reveal(), 'utf8');
    const nonce = createHmac('sha256', nonceKey)
      .update(`${Buffer.byteLength(context)}:${context}`)
      .update(plaintext)
      .digest()
      .subarray(0, nonceBytes);
    const cipher = createCipheriv(algorithm, encryption, nonce).setAAD(Buffer.from(context));
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return `${id}:${Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64')}`;
  }

  /** @throws CRYPTO_KEY_UNKNOWN, CRYPTO_SEAL_BROKEN */
  open(sealed: string, context: string): Secret {
    const [id = '', base64 = ''] = sealed.split(':', 2);
    const keys = this.#keysById.get(id);
    if (!keys)
      throw new DualhomeError('CRYPTO_KEY_UNKNOWN', { detail: `key ${id}`, facts: { keyId: id, context } });
    try {
      const bytes = canonicalBase64(base64);
      const decipher = createDecipheriv(algorithm, keys.encryption, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      const opened = Buffer.concat([
        decipher.update(bytes.subarray(nonceBytes + tagBytes)),
        decipher.final(),
      ]);
      return new Secret(opened.toString('utf8'));
    } catch (cause) {
      throw new DualhomeError('CRYPTO_SEAL_BROKEN', {
        detail: context,
        facts: { keyId: id, context },
        cause,
      });
    }
  }
}

function derive(key: SealingKey): DerivedKeys {
  const bytes = key.reveal();
  if (bytes.length !== keyBytes) {
    throw new DualhomeError('CRYPTO_KEY_INVALID', {
      detail: `a sealing key has ${keyBytes} bytes, not ${bytes.length}`,
    });
  }
  const part = (purpose: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', bytes, new Uint8Array(), `dualhome sealing ${purpose}`, length));
  return {
    id: part('id', 4).toString('hex'),
    encryption: createSecretKey(part('encryption', 32)),
    nonce: createSecretKey(part('nonce', 32)),
  };
}

/** Base64 that only one text decodes to, so that no two sealed texts open to one value. */
function canonicalBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new Error('not canonical base64');
  return bytes;
}
