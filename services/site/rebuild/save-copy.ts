import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { configurationLog } from '../../log/definition.ts';
import { heldAfter } from '../../log/held.ts';
import type { Base } from '../../log/held.ts';
import { readAfter } from '../../log/read.ts';
import { openExport } from '../../log/snapshot/export.ts';
import { Signer } from '../../platform/crypto/signing.ts';
import { fileModes } from '../../platform/files/write-atomic.ts';
import { writeJsonFile } from '../../platform/files/json.ts';
import { openDatabase } from '../../platform/postgres/database.ts';
import type { Database } from '../../platform/postgres/database.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { wholeScope } from '../../protocol/scope.ts';
import type { SiteFile } from '../config/read.ts';
import { locateDatabase } from '../databases/locate.ts';
import { standbyName } from '../databases/plan.ts';
import { siteLayout } from '../layout.ts';
import { readSecret } from '../secrets.ts';
import { copyFile, historyFile } from './saved-copy.ts';
import type { SavedCopy } from './saved-copy.ts';

export type Saved = {
  readonly site: string;
  /** The last event it contains, and from which one on it holds them all. */
  readonly seq: number;
  readonly completeFrom: number;
  readonly rows: number;
  readonly directory: string;
};

const page = { eventsMax: 1_000, bytesMax: 4 * 1024 * 1024 } as const;

/**
 * Saves this site's copy of a peer into a new directory, from which the peer can be rebuilt. Replication goes on
 * meanwhile; what is saved is one point of it. The last file written makes it whole.
 *
 * @throws PAIRING_PEER_UNKNOWN, SITE_COPY_UNUSABLE, POSTGRES_UNREACHABLE while the site does not run
 */
export async function saveCopy(
  file: SiteFile,
  peer: string,
  target: string,
  signal: AbortSignal,
): Promise<Saved> {
  const url = await locateDatabase(file, standbyName(peer));
  if (url === undefined) throw new DualhomeError('PAIRING_PEER_UNKNOWN', { detail: peer, facts: { peer } });
  const directory = resolve(target);
  if (existsSync(directory))
    throw new DualhomeError('SITE_COPY_UNUSABLE', { detail: `${directory} exists; name a new directory` });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { secrets } = siteLayout(file.dataDir);
  const signer = new Signer(await readSecret(secrets.signingKey));
  const sealingKey = await readSecret(secrets.peerSealingKey(peer));

  await using database = openDatabase({ url, applicationName: 'dualhome save-copy', statementTimeoutMs: 0 });
  const base = await heldAfter(database);
  await using exported = await openExport({
    definition: configurationLog,
    database,
    site: peer,
    transfer: randomUUID(),
    scope: wholeScope,
    directory,
    signer,
    signal,
  });
  let rows = 0;
  for await (const digest of exported.chunks()) rows += digest.rows;
  const { seq } = exported.header;
  await pipeline(
    historyLines(database, base, seq),
    createZstdCompress(),
    createWriteStream(historyFile(directory), { mode: fileModes.private }),
    { signal },
  );
  const copy: SavedCopy = {
    format: 1,
    site: peer,
    holder: file.config.site,
    manifest: exported.seal(),
    holderPublicKeyPem: signer.publicKeyPem,
    sealingKeyHex: sealingKey.reveal(),
    history: { seq: base.seq, hash: base.hash.toString('hex') },
  };
  await writeJsonFile(copyFile(directory), copy, { mode: fileModes.private });
  return { site: peer, seq, completeFrom: base.seq + 1, rows, directory };
}

async function* historyLines(database: Database, base: Base, to: number): AsyncGenerator<string> {
  for (let { seq } = base; seq < to;) {
    const events = await readAfter(database, seq, { ...page, eventsMax: Math.min(page.eventsMax, to - seq) });
    const last = events.at(-1);
    if (!last)
      throw new DualhomeError('LOG_BROKEN', {
        detail: `Event ${seq + 1} is missing.`,
        facts: { seq: seq + 1 },
      });
    yield events
      .map(({ timeMs, body }) => `${JSON.stringify({ timeMs, body: body.toString('base64') })}\n`)
      .join('');
    seq = last.seq;
  }
}
