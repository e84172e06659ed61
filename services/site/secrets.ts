import { createHmac, hash, hkdfSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DualhomeError } from '../protocol/errors/index.ts';
import { roleSchema } from '../protocol/program-config.ts';
import type { ApiConfig, Role } from '../protocol/program-config.ts';
import { generateSealingKey } from '../platform/crypto/sealing.ts';
import { generateSigningKey, Signer } from '../platform/crypto/signing.ts';
import { fileModes, writeFileAtomic } from '../platform/files/write-atomic.ts';
import { Secret } from '../platform/logging/secret.ts';
import type { SiteConfig } from './config/schema.ts';
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

/**
 * Keys that programs need and that follow from others: nonces from what only this site has; what fronts sign for each
 * other from what peers share, so that a front never sees the key that opens secrets.
 */
export async function writeDerivedKeys({ secrets }: SiteLayout, { peers }: SiteConfig): Promise<void> {
  const derived = [
    [secrets.databaseKey, secrets.nonceKey, 'sip nonces'],
    [secrets.sealingKey, secrets.sipTokenKey, 'sip tokens'],
    ...peers.map(
      ({ name }) => [secrets.peerSealingKey(name), secrets.peerSipTokenKey(name), 'sip tokens'] as const,
    ),
  ] as const;
  for (const [from, to, purpose] of derived) {
    const key = deriveKey(await readSecret(from), purpose);
    const known = existsSync(to) ? await readSecret(to) : undefined;
    if (known?.reveal() !== key.reveal()) await writeSecret(to, key);
  }
}

/** A key for one purpose, hex, which tells nothing of the key (hex) it is made from. */
function deriveKey(from: Secret, purpose: string): Secret {
  const key = Buffer.from(from.reveal(), 'hex');
  return hex(
    new Secret<Uint8Array>(new Uint8Array(hkdfSync('sha256', key, '', `dualhome ${purpose}`, keyBytes))),
  );
}

/** Passwords of database roles: derived, so that they need not be stored, each from the role's own name. */
export async function openPasswords({ secrets }: SiteLayout): Promise<(role: string) => Secret> {
  const key = Buffer.from((await readSecret(secrets.databaseKey)).reveal(), 'hex');
  return (role) => new Secret(createHmac('sha256', key).update(role).digest('base64url'));
}
