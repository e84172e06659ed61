import { X509Certificate } from 'node:crypto';
import { DualhomeError } from '../../protocol/errors/index.ts';
import * as x509 from './x509.ts';

const dayMs = 86_400_000;

/** A certificate from PEM or DER. */
export function parseCertificate(content: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(content);
  } catch (cause) {
    throw new DualhomeError('TLS_CERTIFICATE_INVALID', { detail: 'not a certificate', cause });
  }
}

/** SHA-256 of the DER form, as `AB:CD:…`: what two operators read to each other. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256;
}

/** Whole days that remain; negative once expired. */
export function daysUntilExpiry(certificate: X509Certificate, nowMs: number): number {
  return Math.floor((certificate.validToDate.getTime() - nowMs) / dayMs);
}

/** Renewal is due in the last third of a certificate's life. */
export function isRenewalDue(certificate: X509Certificate, nowMs: number): boolean {
  const fromMs = certificate.validFromDate.getTime();
  const toMs = certificate.validToDate.getTime();
  return toMs - nowMs < (toMs - fromMs) / 3;
}

/** The URIs among the subject alternative names: how a certificate says which party it belongs to. */
export function subjectUrisOf(certificate: X509Certificate): readonly string[] {
  const names = new x509.X509Certificate(certificate.raw).getExtension(x509.SubjectAlternativeNameExtension);
  return (names?.names.items ?? []).filter(({ type }) => type === 'url').map(({ value }) => value);
}

/**
 * Checks that one of `authorities` issued `certificate` and that both are valid at `nowMs`; returns that authority.
 * TLS itself only proves that any trusted authority issued it: pass the authority of the party it claims to be.
 *
 * @throws TLS_CERTIFICATE_UNTRUSTED, TLS_CERTIFICATE_EXPIRED
 */
export function verifyChain(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  nowMs: number,
): X509Certificate {
  const issuer = authorities.find(
    (authority) =>
      authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );
  const facts = { subject: certificate.subject, fingerprint: fingerprintOf(certificate) };
  if (!issuer) throw new DualhomeError('TLS_CERTIFICATE_UNTRUSTED', { facts });
  for (const { validFromDate, validToDate, subject } of [certificate, issuer]) {
    if (nowMs < validFromDate.getTime() || nowMs > validToDate.getTime()) {
      const detail = `${subject} is valid from ${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
      throw new DualhomeError('TLS_CERTIFICATE_EXPIRED', { detail, facts });
    }
  }
  return issuer;
}
