import type { SiteFile } from '../config/read.ts';
import { siteLayout } from '../layout.ts';
import { assignLoopbackPorts } from '../ports.ts';
import { portUsers } from '../program-configs.ts';
import { openPasswords } from '../secrets.ts';
import { plannedDatabases } from './plan.ts';
import { adminUrlOf } from './run.ts';

/** URL of the administrator of one of the site's databases (`home`, `shared`, `standby_c2`); undefined where there is none. */
export async function locateDatabase(file: SiteFile, name: string): Promise<string | undefined> {
  const { config, dataDir } = file;
  const database = plannedDatabases(config).find((planned) => planned.name === name);
  if (!database) return undefined;
  const layout = siteLayout(dataDir);
  const ports = await assignLoopbackPorts(layout, config.loopback_ports, portUsers(file));
  return adminUrlOf(database, ports[`postgres.${name}`] ?? 0, await openPasswords(layout));
}
