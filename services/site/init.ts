import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DualhomeError } from '../protocol/errors/index.ts';
import { fileModes, writeFileAtomic } from '../platform/files/write-atomic.ts';
import { createCertificates } from './certificates.ts';
import { readSiteFile } from './config/read.ts';
import type { SiteFile } from './config/read.ts';
import { siteTemplate } from './config/template.ts';
import type { NewSite } from './config/template.ts';
import { siteDirectories, siteLayout } from './layout.ts';
import type { SiteLayout } from './layout.ts';
import { homeProcessor } from './programs.ts';
import { createSecrets } from './secrets.ts';
import { makeSocketDirectory } from './sockets.ts';

/**
 * Makes a new site in `directory`: site.yaml, directories, authority and certificate, keys, API tokens.
 *
 * @throws SITE_EXISTS where there is one; SITE_CONFIG_INVALID where a value given is not valid
 */
export async function initSite(directory: string, site: NewSite): Promise<SiteFile> {
  const path = join(resolve(directory), 'site.yaml');
  if (existsSync(path)) throw new DualhomeError('SITE_EXISTS', { detail: path, facts: { path } });
  await mkdir(resolve(directory), { recursive: true });
  await writeFileAtomic(path, siteTemplate(site), { mode: fileModes.private });
  const file = await readSiteFile(path);
  const layout = siteLayout(file.dataDir);
  if (existsSync(layout.secrets.databaseKey)) {
    throw new DualhomeError('SITE_EXISTS', { detail: file.dataDir, facts: { path: file.dataDir } });
  }
  await makeDirectories(layout);
  await createSecrets(layout);
  await createCertificates(layout, file.config.site, file.config.public_host);
  return file;
}

/** Makes the directories that are missing. */
export async function makeDirectories(layout: SiteLayout): Promise<void> {
  const { dataDir } = layout;
  for (const [name, mode] of Object.entries(siteDirectories)) {
    const path = join(dataDir, name);
    if (existsSync(path)) continue;
    await mkdir(path, { recursive: true });
    await chmod(path, mode);
  }
  await makeSocketDirectory(layout.socket(homeProcessor));
}
