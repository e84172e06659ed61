import type { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { siteUri } from '../protocol/site-uri.ts';
import { createAuthority, issueCertificate } from '../platform/tls/certificates.ts';
import type { CertificateSubject } from '../platform/tls/certificates.ts';
import { readIdentity, readPem, renewIfDue, writeIdentity } from '../platform/tls/identity-files.ts';
import type { IdentityFiles } from '../platform/tls/identity-files.ts';
import { fingerprintOf, parseCertificate } from '../platform/tls/inspect.ts';
import type { SiteLayout } from './layout.ts';

const authorityDays = 3_650;
const certificateDays = 90;

export function certificateFiles({ secrets, certificates }: SiteLayout): IdentityFiles {
  return { keyFile: secrets.certificateKey, certificateFile: certificates.own };
}

function authorityFiles({ secrets, certificates }: SiteLayout): IdentityFiles {
  return { keyFile: secrets.authorityKey, certificateFile: certificates.authority };
}

/** The authority and the first certificate of a new site. */
export async function createCertificates(
  layout: SiteLayout,
  site: string,
  publicHost: string,
): Promise<void> {
  const authority = await createAuthority({ name: `dualhome site ${site}`, days: authorityDays });
  await writeIdentity(authorityFiles(layout), authority);
  const subject = subjectOf(site, publicHost);
  await writeIdentity(certificateFiles(layout), await issueCertificate(authority, subject));
}

/**
 * Issues a new certificate when the old one is in the last third of its life, names another host than site.yaml, or is
 * gone. Programs take it up while they run. Returns whether it did.
 */
export async function renewCertificate(
  layout: SiteLayout,
  site: string,
  publicHost: string,
  nowMs: number,
): Promise<boolean> {
  const files = certificateFiles(layout);
  const authority = await readIdentity(authorityFiles(layout));
  const subject = subjectOf(site, publicHost);
  const usable = existsSync(files.certificateFile) && existsSync(files.keyFile);
  if (usable && isNamedFor(parseCertificate(await readPem(files.certificateFile)), publicHost)) {
    return renewIfDue(files, authority, subject, nowMs);
  }
  await writeIdentity(files, await issueCertificate(authority, subject));
  return true;
}

/** What two operators compare before they trust each other's site. */
export async function authorityFingerprint({ certificates }: SiteLayout): Promise<string> {
  return fingerprintOf(parseCertificate(await readPem(certificates.authority)));
}

/** Whether TLS would accept it from `host`, a name or an address. */
export function isNamedFor(certificate: X509Certificate, host: string): boolean {
  const bare = withoutBrackets(host);
  return (isIP(bare) === 0 ? certificate.checkHost(bare) : certificate.checkIP(bare)) !== undefined;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function subjectOf(site: string, publicHost: string): CertificateSubject {
  const hosts = [...new Set([withoutBrackets(publicHost), 'localhost', '127.0.0.1'])];
  return {
    name: site,
    uris: [siteUri(site)],
    dnsNames: hosts.filter((host) => isIP(host) === 0),
    ipAddresses: hosts.filter((host) => isIP(host) !== 0),
    days: certificateDays,
  };
}
