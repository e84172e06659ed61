import { array, assert, constantFrom, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateSealingKey, Sealer } from '../../../services/platform/crypto/sealing.ts';
import { generateSigningKey, Signer, Verifier } from '../../../services/platform/crypto/signing.ts';
import { Secret } from '../../../services/platform/logging/secret.ts';

const text = () =>
  array(constantFrom('a', 'b', ':', '\0', 'é', '漢', '🙂')).map((characters) => characters.join(''));

describe('sealing', () => {
  const key = generateSealingKey();
  const sealer = new Sealer(key);

  test('what is sealed is opened in its context', () => {
    assert(
      property(text(), text(), (value, context) => {
        const sealed = sealer.seal(new Secret(value), context);
        return sealer.open(sealed, context).reveal() === value;
      }),
    );
  });

  test('the same value in the same context seals to the same text, also by another process', () => {
    const other = new Sealer(key);
    expect(other.seal(new Secret('ha1'), 'a.ha1')).toBe(sealer.seal(new Secret('ha1'), 'a.ha1'));
  });

  test('another value, context or key seals to another text', () => {
    const texts = [
      sealer.seal(new Secret('b'), 'a'),
      sealer.seal(new Secret('c'), 'a'),
      sealer.seal(new Secret('b'), 'c'),
      sealer.seal(new Secret('ab'), ''),
      sealer.seal(new Secret(''), 'ab'),
      new Sealer(generateSealingKey()).seal(new Secret('b'), 'a'),
    ];
    const nonces = texts.map((sealed) => (sealed.split(':')[1] ?? '').slice(0, 16));
    expect(new Set(nonces).size).toBe(texts.length);
  });

  test('a value moved to another context does not open', () => {
    const sealed = sealer.seal(new Secret('ha1'), 'alice.ha1');
    expect(() => sealer.open(sealed, 'mallory.ha1')).toThrow('CRYPTO_SEAL_BROKEN');
  });

  test('a value with any one byte changed does not open', () => {
    const sealed = sealer.seal(new Secret('the secret'), 'context');
    const [id = '', base64 = ''] = sealed.split(':');
    const bytes = Buffer.from(base64, 'base64');
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] = (bytes[i] ?? 0) ^ 1;
      expect(() => sealer.open(`${id}:${changed.toString('base64')}`, 'context')).toThrow(
        'CRYPTO_SEAL_BROKEN',
      );
    }
  });

  test('a cut value does not open', () => {
    const sealed = sealer.seal(new Secret('the secret'), 'context');
    assert(
      property(nat(sealed.length - 10), (length) => {
        expect(() => sealer.open(sealed.slice(0, 9 + length), 'context')).toThrow('CRYPTO_SEAL_BROKEN');
      }),
    );
  });

  test('keys are told apart by the id in front, which reveals nothing of the key', () => {
    const other = new Sealer(generateSealingKey());
    const sealed = other.seal(new Secret('x'), 'c');
    expect(sealed.startsWith(`${other.keyId}:`)).toBe(true);
    expect(() => sealer.open(sealed, 'c')).toThrow(`CRYPTO_KEY_UNKNOWN: key ${other.keyId}`);
    expect(Buffer.from(key.reveal()).toString('hex')).not.toContain(sealer.keyId);
  });

  test('the keys of others open what they sealed, and seal nothing', () => {
    const theirs = generateSealingKey();
    const both = new Sealer(key, [theirs]);
    expect(both.open(new Sealer(theirs).seal(new Secret('x'), 'c'), 'c').reveal()).toBe('x');
    expect(both.seal(new Secret('x'), 'c')).toBe(sealer.seal(new Secret('x'), 'c'));
  });

  test('a key of another length is refused', () => {
    expect(() => new Sealer(new Secret<Uint8Array>(new Uint8Array(31)))).toThrow('CRYPTO_KEY_INVALID');
  });
});

describe('signing', () => {
  const signer = new Signer(generateSigningKey());
  const verifier = new Verifier(signer.publicKeyPem);

  test('a signature holds for exactly its data and signer', () => {
    const signature = signer.sign('manifest');
    expect(verifier.verify('manifest', signature)).toBe(true);
    expect(verifier.verify(Buffer.from('manifest'), signature)).toBe(true);
    expect(verifier.verify('manifest ', signature)).toBe(false);
    expect(new Verifier(new Signer(generateSigningKey()).publicKeyPem).verify('manifest', signature)).toBe(
      false,
    );
  });

  test('rubbish is no signature', () => {
    assert(property(text(), (rubbish) => !verifier.verify('manifest', rubbish)));
  });

  test('a key that is not Ed25519 is refused', () => {
    expect(() => new Verifier('not a key')).toThrow('CRYPTO_KEY_INVALID');
    expect(() => new Signer(new Secret('x'))).toThrow('CRYPTO_KEY_INVALID');
  });
});
