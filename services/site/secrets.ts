import { createHmac, hash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DualhomeError } from '../protocol/errors/index.ts';
import { roleSchema } from '../protocol/program-config.ts';
import type { ApiConfig, Role } from '../protocol/program-config.ts';
import { generateSealingKey } from '../platform/crypto/sealing.ts';
import { generateSigningKey, Signer } from '../platform/crypto/signing.ts';
import { fileModes, writeFileAtomic } from '../platform/files/write-atomic.ts';
import { Secret } from '../platform/logging/secret.ts';
import type { SiteLayout } from './layout.ts';

const keyBytes = 32;

/** Makes every key and token of a new site. */
export async function createSecrets({ secrets, certificates }: SiteLayout): Promise<void> {
  const signingKey = generateSigningKey();
  await writeSecret(secrets.signingKey, signingKey);
  await writeFileAtomic(certificates.signingPublicKey, new Signer(signingKey).publicKeyPem);
  await writeSecret(secrets.sealingKey, hex(generateSealingKey()));
  await writeSecret(secrets.databaseKey, hex(new Secret(randomBytes(keyBytes))));
  for (const role of roleSchema.options) await writeSecret(secrets.token(role), newToken(role));
}

function hex(bytes: Secret<Uint8Array>): Secret {
  return new Secret(Buffer.from(bytes.reveal()).toString('hex'));
}

/** The role in it is for people; what it may do is decided by its hash in the api's configuration. */
function newToken(role: Role): Secret {
  return new Secret(`dualhome_${role}_${randomBytes(keyBytes).toString('base64url')}`);
}

export async function writeSecret(path: string, secret: Secret): Promise<void> {
  await writeFileAtomic(path, `${secret.reveal().trimEnd()}\n`, { mode: fileModes.private });
}

/** @throws SITE_SECRETS_MISSING */
export async function readSecret(path: string): Promise<Secret> {
  try {
    return new Secret((await readFile(path, 'utf8')).trimEnd());
  } catch (cause) {
    throw new DualhomeError('SITE_SECRETS_MISSING', { detail: path, facts: { path }, cause });
  }
}

/** The tokens as the api knows them: by their hashes. */
export async function readTokenHashes({ secrets }: SiteLayout): Promise<ApiConfig['tokens']> {
  return Promise.all(
    roleSchema.options.map(async (role) => {
      const token = await readSecret(secrets.token(role));
      return { name: role, role, sha256: hash('sha256', token.reveal(), 'hex') };
    }),
  );
}

/** Passwords of database roles: derived, so that they need not be stored, each from the role's own name. */
export async function openPasswords({ secrets }: SiteLayout): Promise<(role: string) => Secret> {
  const key = Buffer.from((await readSecret(secrets.databaseKey)).reveal(), 'hex');
  return (role) => new Secret(createHmac('sha256', key).update(role).digest('base64url'));
}
