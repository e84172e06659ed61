import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile } from '../platform/files/json.ts';
import { readKeyFile } from '../platform/crypto/key-file.ts';
import { Sealer } from '../platform/crypto/sealing.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import { apiConfigSchema } from '../protocol/program-config.ts';
import type { ApiConfig } from '../protocol/program-config.ts';

/** The configuration in `path`. @throws FILES_UNREADABLE, FILES_INVALID */
export async function readApiConfig(path: string | undefined): Promise<ApiConfig> {
  const config = path === undefined ? undefined : await readJsonFile(path, apiConfigSchema);
  if (config) return config;
  throw new DualhomeError('FILES_UNREADABLE', {
    detail: `no configuration at ${path ?? '--config'}`,
    facts: { path },
  });
}

/** What seals secrets with this site's key. @throws FILES_UNREADABLE, CRYPTO_KEY_INVALID */
export async function openSealer(keyFile: string): Promise<Sealer> {
  return new Sealer(await readKeyFile(keyFile));
}

/** Version of this program. */
export function softwareVersion(): string {
  const path = join(import.meta.dirname, '../../package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}
