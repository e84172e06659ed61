import { resolve, dirname } from 'node:path';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { YamlPath } from '../../platform/yaml/document.ts';
import { describeFault, inspectSiteConfig, keyOf, readSiteText } from '../config/read.ts';
import type { ConfigFault, SiteFile } from '../config/read.ts';
import { siteLayout } from '../layout.ts';
import { readSiteState } from '../supervisor/state-file.ts';
import { certificateFaults } from './certificates.ts';
import { databaseFaults } from './databases.ts';
import { directoryFaults, diskFaults } from './directories.ts';
import { portFaults } from './ports.ts';
import { secretFaults } from './secrets.ts';

/** Something that keeps the site from starting, by the key of site.yaml it belongs to. */
export type Finding = { readonly path: YamlPath; readonly message: string };

export type CheckContext = {
  readonly file: SiteFile;
  /** A running site holds its own ports and databases. */
  readonly running: boolean;
};

/**
 * Everything that is wrong with a site, by line and key: the file itself; then directories, disk space, keys,
 * certificates, ports and databases. Starts and changes nothing. `running` is for programs that no supervisor of ours
 * watches; where it does, that is seen.
 *
 * @throws SITE_CONFIG_UNREADABLE
 */
export async function checkSite(
  path: string,
  options: { readonly running?: boolean } = {},
): Promise<readonly ConfigFault[]> {
  const inspection = inspectSiteConfig(await readSiteText(path));
  if ('faults' in inspection) return inspection.faults;
  const { document, config } = inspection;
  const dataDir = resolve(dirname(path), config.data_dir);
  const running = options.running ?? (await readSiteState(siteLayout(dataDir))) !== undefined;
  const context: CheckContext = { file: { path: resolve(path), config, dataDir }, running };
  const checks = [directoryFaults, diskFaults, secretFaults, certificateFaults, portFaults, databaseFaults];
  const findings = await Promise.all(checks.map((check) => check(context)));
  return findings
    .flat()
    .map(({ path: at, message }) => ({ key: keyOf(at), ...document.locate(at), message }));
}

/** @throws SITE_CHECK_FAILED listing them, if there are any */
export function refuseFaults(faults: readonly ConfigFault[]): void {
  if (faults.length === 0) return;
  throw new DualhomeError('SITE_CHECK_FAILED', {
    detail: faults.map((fault) => `\n  ${describeFault(fault)}`).join(''),
    facts: { faults },
  });
}
