import { webcrypto } from 'node:crypto';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { Secret } from '../logging/secret.ts';
import * as x509 from './x509.ts';

/** A certificate with its private key, both PEM (the key PKCS #8). */
export type Identity = { readonly certificatePem: string; readonly privateKeyPem: Secret };

/** Whom a certificate names, and for how long. */
export type CertificateSubject = {
  /** Common name; only for people. */
  readonly name: string;
  /** Subject alternative names (RFC 5280 4.2.1.6): these are what verification looks at. */
  readonly uris?: readonly string[] | undefined;
  readonly dnsNames?: readonly string[] | undefined;
  readonly ipAddresses?: readonly string[] | undefined;
  readonly days: number;
};

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

/** Certificates are valid from a little before now, for machines whose clocks are behind. */
const backdatedMs = 3_600_000;

/** A new self-signed authority (CA) that may sign leaf certificates only. */
export async function createAuthority({
  name,
  days,
}: Pick<CertificateSubject, 'name' | 'days'>): Promise<Identity> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(days),
    name: authorityName(name),
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return identityOf(certificate, keys);
}

/** A new key and its certificate, for both ends of TLS, signed by `authority`. */
export async function issueCertificate(authority: Identity, subject: CertificateSubject): Promise<Identity> {
  const keys = await generateKeys();
  return identityOf(await sign(authority, keys.publicKey, subject), keys);
}

/** A new key, and the request (PKCS #10) to send to an authority on another machine; the key stays here. */
export async function createCertificateRequest(
  name: string,
): Promise<{ readonly requestPem: string; readonly privateKeyPem: Secret }> {
  const keys = await generateKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: leafName(name),
    keys,
    signingAlgorithm: keyAlgorithm,
  });
  return { requestPem: request.toString('pem'), privateKeyPem: await exportKey(keys.privateKey) };
}

/**
 * The certificate (PEM) for the key of a request. Only the key is taken from it, once the request proves that its
 * sender holds it: whom the certificate names is the authority's decision.
 */
export async function signRequest(
  authority: Identity,
  requestPem: string,
  subject: CertificateSubject,
): Promise<string> {
  const request = parse(requestPem, (pem) => new x509.Pkcs10CertificateRequest(pem));
  if (!(await request.verify())) {
    throw new DualhomeError('TLS_CERTIFICATE_INVALID', {
      detail: 'the request is not signed by its own key',
    });
  }
  return (await sign(authority, request.publicKey, subject)).toString('pem');
}

async function sign(
  authority: Identity,
  publicKey: x509.PublicKeyType,
  { name, days, uris = [], dnsNames = [], ipAddresses = [] }: CertificateSubject,
): Promise<x509.X509Certificate> {
  const issuer = parse(authority.certificatePem, (pem) => new x509.X509Certificate(pem));
  const names: x509.JsonGeneralNames = [
    ...uris.map((value) => ({ type: 'url' as const, value })),
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  return x509.X509CertificateGenerator.create({
    ...validity(days),
    subject: leafName(name),
    issuer: issuer.subjectName,
    publicKey,
    signingKey: await importKey(authority.privateKeyPem),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
}

/**
 * The name of an authority never equals one of its leaves: OpenSSL takes a certificate whose issuer has its own
 * name for self-signed.
 */
function authorityName(name: string): x509.Name {
  return new x509.Name([{ OU: [{ utf8String: 'authority' }] }, { CN: [{ utf8String: name }] }]);
}

/** Typed, because the library takes quotes in a plain string for syntax. */
function leafName(name: string): x509.Name {
  return new x509.Name([{ CN: [{ utf8String: name }] }]);
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const nowMs = Date.now();
  return { notBefore: new Date(nowMs - backdatedMs), notAfter: new Date(nowMs + days * dayMs) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

async function identityOf(
  certificate: x509.X509Certificate,
  keys: webcrypto.CryptoKeyPair,
): Promise<Identity> {
  return { certificatePem: certificate.toString('pem'), privateKeyPem: await exportKey(keys.privateKey) };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<Secret> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  return new Secret(x509.PemConverter.encode(der, x509.PemConverter.PrivateKeyTag));
}

function importKey(pem: Secret): Promise<webcrypto.CryptoKey> {
  const der = parse(pem.reveal(), (text) => x509.PemConverter.decodeFirst(text));
  return webcrypto.subtle.importKey('pkcs8', der, keyAlgorithm, false, ['sign']);
}

function parse<T>(pem: string, parser: (pem: string) => T): T {
  try {
    return parser(pem);
  } catch (cause) {
    throw new DualhomeError('TLS_CERTIFICATE_INVALID', { detail: 'not the expected PEM', cause });
  }
}
