import { readFile } from 'node:fs/promises';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { fileModes, writeFileAtomic } from '../files/write-atomic.ts';
import { Secret } from '../logging/secret.ts';
import { issueCertificate } from './certificates.ts';
import type { CertificateSubject, Identity } from './certificates.ts';
import { isRenewalDue, parseCertificate } from './inspect.ts';

/** Where an identity lies on disk. */
export type IdentityFiles = { readonly keyFile: string; readonly certificateFile: string };

/** The text of a PEM file. @throws TLS_FILE_UNREADABLE */
export async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new DualhomeError('TLS_FILE_UNREADABLE', { detail: path, facts: { path }, cause });
  }
}

export async function readIdentity({ keyFile, certificateFile }: IdentityFiles): Promise<Identity> {
  const certificatePem = await readPem(certificateFile);
  return { certificatePem, privateKeyPem: new Secret(await readPem(keyFile)) };
}

/** Writes key and certificate, each atomically; whoever reads in between sees two that do not match. */
export async function writeIdentity(files: IdentityFiles, identity: Identity): Promise<void> {
  await writeFileAtomic(files.keyFile, identity.privateKeyPem.reveal(), { mode: fileModes.private });
  await writeFileAtomic(files.certificateFile, identity.certificatePem);
}

/** Replaces an identity by a new one when it is in the last third of its life. Returns whether it did. */
export async function renewIfDue(
  files: IdentityFiles,
  authority: Identity,
  subject: CertificateSubject,
  nowMs: number,
): Promise<boolean> {
  if (!isRenewalDue(parseCertificate(await readPem(files.certificateFile)), nowMs)) return false;
  await writeIdentity(files, await issueCertificate(authority, subject));
  return true;
}
