import { beforeAll, describe, expect, test } from 'vitest';
import {
  createAuthority,
  createCertificateRequest,
  issueCertificate,
  signRequest,
} from '../../../services/platform/tls/certificates.ts';
import type { Identity } from '../../../services/platform/tls/certificates.ts';
import {
  daysUntilExpiry,
  fingerprintOf,
  isRenewalDue,
  parseCertificate,
  subjectUrisOf,
  verifyChain,
} from '../../../services/platform/tls/inspect.ts';

const dayMs = 86_400_000;
const uri = 'urn:example:party:a';
let authority: Identity;
let stranger: Identity;
let leaf: Identity;

beforeAll(async () => {
  authority = await createAuthority({ name: 'A', days: 100 });
  // The same name, another key: what an impostor would make.
  stranger = await createAuthority({ name: 'A', days: 100 });
  leaf = await issueCertificate(authority, { name: 'a', uris: [uri], dnsNames: ['a.example'], days: 30 });
});

const certificate = (identity: Identity) => parseCertificate(identity.certificatePem);

describe('an issued certificate', () => {
  test('names its party by URI and host', () => {
    expect(subjectUrisOf(certificate(leaf))).toEqual([uri]);
    expect(certificate(leaf).checkHost('a.example')).toBe('a.example');
    expect(certificate(leaf).ca).toBe(false);
  });

  test('belongs to its key', async () => {
    const { createPrivateKey } = await import('node:crypto');
    expect(certificate(leaf).checkPrivateKey(createPrivateKey(leaf.privateKeyPem.reveal()))).toBe(true);
  });

  test('verifies by its own authority only', () => {
    const nowMs = Date.now();
    const issuer = verifyChain(certificate(leaf), [certificate(stranger), certificate(authority)], nowMs);
    expect(fingerprintOf(issuer)).toBe(fingerprintOf(certificate(authority)));
    expect(() => verifyChain(certificate(leaf), [certificate(stranger)], nowMs)).toThrow(
      'TLS_CERTIFICATE_UNTRUSTED',
    );
    expect(() => verifyChain(certificate(leaf), [], nowMs)).toThrow('TLS_CERTIFICATE_UNTRUSTED');
  });

  test('that only copies the names and key ids of the authority is not trusted', async () => {
    const impostor = { certificatePem: authority.certificatePem, privateKeyPem: stranger.privateKeyPem };
    const forged = certificate(await issueCertificate(impostor, { name: 'a', uris: [uri], days: 30 }));
    expect(forged.checkIssued(certificate(authority))).toBe(true);
    expect(() => verifyChain(forged, [certificate(authority)], Date.now())).toThrow(
      'TLS_CERTIFICATE_UNTRUSTED',
    );
  });

  test('cannot issue others', async () => {
    const forged = await issueCertificate(leaf, { name: 'forged', days: 1 });
    expect(() => verifyChain(certificate(forged), [certificate(leaf)], Date.now())).toThrow('UNTRUSTED');
  });

  test('does not verify before and after its time', () => {
    const verifyAt = (nowMs: number) => verifyChain(certificate(leaf), [certificate(authority)], nowMs);
    expect(() => verifyAt(Date.now() + 31 * dayMs)).toThrow('TLS_CERTIFICATE_EXPIRED');
    expect(() => verifyAt(Date.now() - dayMs)).toThrow('TLS_CERTIFICATE_EXPIRED');
  });

  test('is due for renewal in the last third of its life', () => {
    const nowMs = Date.now();
    expect(daysUntilExpiry(certificate(leaf), nowMs)).toBe(29);
    expect(daysUntilExpiry(certificate(leaf), nowMs + 31 * dayMs)).toBe(-2);
    expect(isRenewalDue(certificate(leaf), nowMs + 19 * dayMs)).toBe(false);
    expect(isRenewalDue(certificate(leaf), nowMs + 21 * dayMs)).toBe(true);
  });
});

describe('a certificate request', () => {
  test('is signed for its key, with the names the authority chooses', async () => {
    const { requestPem, privateKeyPem } = await createCertificateRequest('wishes to be somebody else');
    const certificatePem = await signRequest(authority, requestPem, { name: 'a', uris: [uri], days: 1 });
    const signed = certificate({ certificatePem, privateKeyPem });
    const { createPrivateKey } = await import('node:crypto');
    expect(signed.subject).toBe('CN=a');
    expect(signed.checkPrivateKey(createPrivateKey(privateKeyPem.reveal()))).toBe(true);
    expect(() => verifyChain(signed, [certificate(authority)], Date.now())).not.toThrow();
  });

  test('that was changed on its way is refused', async () => {
    const { requestPem } = await createCertificateRequest('original');
    const [head = '', ...rest] = requestPem.split('\n');
    const der = Buffer.from(rest.slice(0, -1).join(''), 'base64');
    der[der.indexOf('original')] = 'O'.charCodeAt(0);
    const changed = [head, der.toString('base64'), rest.at(-1)].join('\n');
    await expect(signRequest(authority, changed, { name: 'a', days: 1 })).rejects.toThrow(
      'TLS_CERTIFICATE_INVALID',
    );
  });
});

test.each(['', 'nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
  '"%s" is no certificate',
  async (pem) => {
    expect(() => parseCertificate(pem)).toThrow('TLS_CERTIFICATE_INVALID');
    await expect(signRequest(authority, pem, { name: 'a', days: 1 })).rejects.toThrow(
      'TLS_CERTIFICATE_INVALID',
    );
  },
);

test('an authority may have any name', async () => {
  const named = await createAuthority({ name: 'Süd, "1" + CN=x', days: 1 });
  expect(certificate(named).toLegacyObject().subject.CN).toBe('Süd, "1" + CN=x');
});
