import type { Logger } from '../platform/logging/logger.ts';
import type { SiteFile } from './config/read.ts';
import { plannedDatabases } from './databases/plan.ts';
import { prepareRunning, runDatabase } from './databases/run.ts';
import { siteLayout } from './layout.ts';
import { assignLoopbackPorts } from './ports.ts';
import { portUsers } from './program-configs.ts';
import type { ProgramConfigContext } from './program-configs.ts';
import { openPasswords } from './secrets.ts';
import type { Running } from './supervisor/running.ts';

/**
 * A database that is to run. `identity` tells one that has to start anew from one that may go on; where only `contents`
 * differs it goes on, and is prepared again.
 */
export type DatabaseToRun = {
  readonly name: string;
  readonly identity: string;
  readonly contents: string;
  readonly prepare: () => Promise<void>;
  readonly start: () => Promise<Running>;
};

/** What a site's configuration amounts to, ports and passwords included. */
export type SitePlan = ProgramConfigContext & { readonly databases: readonly DatabaseToRun[] };

/** @throws SITE_SECRETS_MISSING, SITE_PORTS_EXHAUSTED */
export async function planSite(file: SiteFile, log: Logger): Promise<SitePlan> {
  const { config, dataDir } = file;
  const layout = siteLayout(dataDir);
  const passwordOf = await openPasswords(layout);
  const ports = await assignLoopbackPorts(layout, config.loopback_ports, portUsers(file));
  const context = { site: config.site, layout, passwordOf, log };
  const databases = plannedDatabases(config).map((database) => {
    const port = ports[`postgres.${database.name}`] ?? 0;
    return {
      name: database.name,
      identity: `${database.url ?? 'embedded'} ${port}`,
      contents: database.peers.join(),
      prepare: () => prepareRunning(database, port, context),
      start: () => runDatabase(database, port, context),
    };
  });
  return { file, layout, ports, passwordOf, databases };
}
