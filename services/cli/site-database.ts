import { DualhomeError } from '../protocol/errors/index.ts';
import { LogName, ownSchema, peerSchema } from '../protocol/names.ts';
import { logNamed } from '../log/definition.ts';
import type { LogDefinition } from '../log/definition.ts';
import { readSiteFile } from '../site/config/read.ts';
import type { SiteConfig } from '../site/config/schema.ts';
import { locateDatabase } from '../site/databases/locate.ts';
import { standbyName } from '../site/databases/plan.ts';

/** Where a log is, as the administrator of its database. */
export type LogPlace = {
  readonly definition: LogDefinition;
  readonly url: string;
  readonly schema: string | undefined;
};

/**
 * Where a log of this site is, or this site's copy of that of the peer `of`; for verbs that read whole logs, which
 * work where the databases are.
 *
 * @throws SITE_CONFIG_UNREADABLE, CLI_USAGE
 */
export async function logPlace(config: string, log: LogName, of: string | undefined): Promise<LogPlace> {
  const file = await readSiteFile(config);
  const { site, peers } = file.config;
  const peer = of === site ? undefined : of;
  const copied = peers.filter(({ receives }) => receives || log === LogName.registration);
  const known = peer === undefined || copied.some(({ name }) => name === peer);
  const [name, schema] = placeOf(log, peer);
  const url = known ? await locateDatabase(file, name) : undefined;
  if (url !== undefined) return { definition: logNamed(log), url, schema };
  throw new DualhomeError('CLI_USAGE', {
    detail: `--of ${of}: the logs here are those of ${namesOf(site, copied)}`,
  });
}

/** Database and schema of a log. */
function placeOf(
  log: LogName,
  peer: string | undefined,
): readonly [database: string, schema: string | undefined] {
  if (log === LogName.registration) return ['shared', peer === undefined ? ownSchema : peerSchema(peer)];
  return [peer === undefined ? 'home' : standbyName(peer), undefined];
}

function namesOf(site: string, peers: SiteConfig['peers']): string {
  return [site, ...peers.map(({ name }) => name)].join(', ');
}
