import type { Logger } from '../platform/logging/logger.ts';
import { renewCertificate } from './certificates.ts';
import { checkSite, refuseFaults } from './check/check.ts';
import { claimSite } from './claim.ts';
import { readSiteFile } from './config/read.ts';
import { makeDirectories } from './init.ts';
import { siteLayout } from './layout.ts';
import { planSite } from './plan.ts';
import { writeProgramConfigs } from './program-configs.ts';
import { stopLeftOvers } from './supervisor/program-process.ts';

/** What `site prepare` has made sure of. */
export type Prepared = { readonly databases: readonly string[]; readonly programConfigs: readonly string[] };

/**
 * Everything `site start` does before it starts programs: checks, databases with schema and roles, certificate, and the
 * programs' configuration files, for whoever starts them one by one; they may run meanwhile. Embedded databases are
 * stopped again.
 *
 * @throws SITE_CONFIG_INVALID, SITE_CHECK_FAILED, SITE_RUNNING, POSTGRES_*
 */
export async function prepareSite(path: string, log: Logger): Promise<Prepared> {
  const file = await readSiteFile(path);
  const layout = siteLayout(file.dataDir);
  await makeDirectories(layout);
  using _claim = claimSite(file.dataDir);
  await stopLeftOvers(layout);
  refuseFaults(await checkSite(path, { running: true }));
  const { site, public_host } = file.config;
  await renewCertificate(layout, site, public_host, Date.now());
  const plan = await planSite(file, log);
  for (const { start } of plan.databases) await (await start()).stop();
  const written = await writeProgramConfigs(plan);
  return {
    databases: plan.databases.map(({ name }) => name),
    programConfigs: [...written].map((program) => layout.programConfig(program)),
  };
}
