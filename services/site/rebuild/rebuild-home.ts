import { join, resolve } from 'node:path';
import { configurationLog } from '../../log/definition.ts';
import { clearForbiddingAlarms } from '../../log/forbidding-alarms.ts';
import { readHead } from '../../log/head.ts';
import { beginIncarnation } from '../../log/open-log.ts';
import type { ChunkFile } from '../../log/snapshot/import.ts';
import { importSnapshot } from '../../log/snapshot/import.ts';
import { Verifier } from '../../platform/crypto/signing.ts';
import { writeJsonFile } from '../../platform/files/json.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { Secret } from '../../platform/logging/secret.ts';
import { openDatabase } from '../../platform/postgres/database.ts';
import { positionToJson } from '../../protocol/link/position-json.ts';
import { chunkFileName } from '../../protocol/manifest.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { Position } from '../../protocol/position.ts';
import { claimSite } from '../claim.ts';
import { readSiteFile } from '../config/read.ts';
import { locateDatabase } from '../databases/locate.ts';
import { plannedDatabases } from '../databases/plan.ts';
import { makeDirectories } from '../init.ts';
import { siteLayout } from '../layout.ts';
import { planSite } from '../plan.ts';
import { writeSecret } from '../secrets.ts';
import { stopLeftOvers } from '../supervisor/program-process.ts';
import { startEmptyHome } from './empty-home.ts';
import { restoreHistory } from './restore-history.ts';
import { readSavedCopy } from './saved-copy.ts';
import type { SavedCopy } from './saved-copy.ts';

export type RebuildOptions = {
  readonly directory: string;
  readonly replace: boolean;
  readonly reason: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

export type Rebuilt = {
  readonly site: string;
  readonly holder: string;
  /** The last event of the copy, and the one with which the new incarnation begins. */
  readonly seq: number;
  readonly head: Position;
  readonly rows: number;
  readonly events: number;
};

const applicationName = 'dualhome rebuild';
const by = 'site rebuild';

/**
 * Fills this site's empty home from a copy that a peer has saved, state and events, and begins a new incarnation that
 * goes on from there: the one writer of home besides the api, while the site does not run (invariant I7).
 *
 * The new incarnation comes last: a home that was filled in part is never appended to, and is rebuilt anew.
 *
 * @throws SITE_RUNNING, SITE_COPY_UNUSABLE, SITE_HOME_NOT_EMPTY, TRANSFER_*, LOG_BROKEN
 */
export async function rebuildHome(path: string, options: RebuildOptions): Promise<Rebuilt> {
  const file = await readSiteFile(path);
  const { site } = file.config;
  const directory = resolve(options.directory);
  const { copy, manifest } = await readSavedCopy(directory, site);
  const layout = siteLayout(file.dataDir);
  await makeDirectories(layout);
  using _claim = claimSite(file.dataDir);
  await stopLeftOvers(layout);

  const { databases } = await planSite(file, options.log);
  const planned = new Map(databases.map((database) => [database.name, database]));
  const [home, shared] = [planned.get('home'), planned.get('shared')];
  const [url, sharedUrl] = [await locateDatabase(file, 'home'), await locateDatabase(file, 'shared')];
  if (!home || !shared || url === undefined || sharedUrl === undefined) throw new Error('no home is planned');
  const embedded = plannedDatabases(file.config).some(({ name, url: own }) => name === 'home' && !own);

  await using stack = new AsyncDisposableStack();
  const running = await startEmptyHome({ ...options, home, url, embedded });
  stack.defer(() => running.stop());
  const { rows } = await importCopy(url, directory, copy, manifest, options.signal);
  const database = stack.use(openDatabase({ url, applicationName, statementTimeoutMs: 0, poolMax: 2 }));
  const events = await restoreHistory(database, directory, copy, manifest.header);

  await writeSecret(layout.secrets.sealingKey, new Secret(copy.sealingKeyHex));
  const cause = { actor: { name: by, role: 'program' }, reason: options.reason } as const;
  const log = { definition: configurationLog, url, applicationName, site, witnessFile: layout.witness };
  const { head } = await beginIncarnation(log, cause);
  await writeJsonFile(layout.witness, positionToJson(head));
  const sharedRunning = await shared.start();
  stack.defer(() => sharedRunning.stop());
  const alarms = stack.use(openDatabase({ url: sharedUrl, applicationName, poolMax: 1 }));
  await clearForbiddingAlarms(alarms, configurationLog.name, by);
  return { site, holder: copy.holder, seq: manifest.header.seq, head, rows, events };
}

async function importCopy(
  url: string,
  directory: string,
  copy: SavedCopy,
  { header, chunks }: Manifest,
  signal: AbortSignal,
) {
  await using database = openDatabase({ url, applicationName, poolMax: 1 });
  async function* files(): AsyncGenerator<ChunkFile> {
    for (const digest of chunks) yield { digest, path: join(directory, chunkFileName(digest)) };
  }
  return await importSnapshot({
    url,
    header,
    peer: copy.site,
    chunks: files(),
    manifest: async () => copy.manifest,
    verifier: new Verifier(copy.holderPublicKeyPem),
    exclusive: async (work) => work(await readHead(database)),
    signal,
  });
}
