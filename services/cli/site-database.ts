import { DualhomeError } from '../protocol/errors/index.ts';
import { readSiteFile } from '../site/config/read.ts';
import { locateDatabase } from '../site/databases/locate.ts';
import { standbyName } from '../site/databases/plan.ts';

/**
 * URL of the database that holds a site's own log, or this site's copy of the log `of` a peer; for verbs that read whole
 * logs, which work where the databases are.
 *
 * @throws SITE_CONFIG_UNREADABLE, CLI_USAGE
 */
export async function logDatabase(config: string, of: string | undefined): Promise<string> {
  const file = await readSiteFile(config);
  const name = of === undefined || of === file.config.site ? 'home' : standbyName(of);
  const url = await locateDatabase(file, name);
  if (url !== undefined) return url;
  const copied = file.config.peers.filter(({ receives }) => receives).map(({ name: peer }) => peer);
  throw new DualhomeError('CLI_USAGE', {
    detail: `--of ${of}: the logs here are those of ${[file.config.site, ...copied].join(', ')}`,
  });
}
