import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { commitRun } from '../../services/log/commit-run.ts';
import { compareSides, sideOf } from '../../services/log/compare.ts';
import { configurationLog } from '../../services/log/definition.ts';
import { chainRun } from '../../services/log/event.ts';
import { readHead } from '../../services/log/head.ts';
import { openReplay } from '../../services/log/replay.ts';
import { openExport } from '../../services/log/snapshot/export.ts';
import { importSnapshot } from '../../services/log/snapshot/import.ts';
import type { ChunkFile, ImportOptions, ImportOutcome } from '../../services/log/snapshot/import.ts';
import { readAfter } from '../../services/log/read.ts';
import { Signer, Verifier, generateSigningKey } from '../../services/platform/crypto/signing.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import type { Comparison } from '../../services/protocol/digest.ts';
import type { SignedManifest, SnapshotHeader } from '../../services/protocol/manifest.ts';
import { chunkFileName } from '../../services/protocol/manifest.ts';
import type { Scope } from '../../services/protocol/scope.ts';
import { wholeScope } from '../../services/protocol/scope.ts';
import type { TestDatabase } from './postgres.ts';

/** The key of site c1. */
export const signer = new Signer(generateSigningKey());
export const verifier = new Verifier(signer.publicKeyPem);

/** A complete snapshot on disk. */
export type Snapshot = {
  readonly header: SnapshotHeader;
  readonly chunks: readonly ChunkFile[];
  readonly manifest: SignedManifest;
};

export type SnapshotOptions = {
  readonly scope?: Scope;
  readonly transfer?: string;
  readonly chunkBytes?: number;
};

export async function aSnapshot(
  home: TestDatabase,
  directory: string,
  { scope = wholeScope, transfer = randomUUID(), chunkBytes = 1024 }: SnapshotOptions = {},
): Promise<Snapshot> {
  const place = join(directory, randomUUID());
  await using exported = await openExport({
    definition: configurationLog,
    database: home.database,
    site: 'c1',
    transfer,
    scope,
    directory: place,
    signer,
    chunkBytes,
  });
  const chunks: ChunkFile[] = [];
  for await (const digest of exported.chunks())
    chunks.push({ digest, path: join(place, chunkFileName(digest)) });
  return { header: exported.header, chunks, manifest: exported.seal() };
}

export async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

export function importInto(
  standby: TestDatabase,
  { header, chunks, manifest }: Snapshot,
  options: Partial<ImportOptions> = {},
): Promise<ImportOutcome> {
  return importSnapshot({
    url: standby.url,
    header,
    peer: 'c1',
    chunks: each(chunks),
    manifest: async () => manifest,
    verifier,
    exclusive: async (work) => work(await readHead(standby.database)),
    signal: new AbortController().signal,
    ...options,
  });
}

/** Brings a standby up to home's event `to` as a lane does. */
export async function applyUpTo(home: TestDatabase, standby: TestDatabase, to: number): Promise<void> {
  await using session = await openPipeline({ url: standby.url, applicationName: 'test' });
  for (;;) {
    const head = await readHead(session);
    const events = await readAfter(home.database, head.seq, {
      eventsMax: Math.min(100, to - head.seq),
      bytesMax: 1e6,
    });
    if (head.seq >= to || events.length === 0) return;
    const { changes, begun } = configurationLog.fold(events, head.seq + 1);
    const incarnation = begun.at(-1)?.incarnation ?? head.incarnation;
    await commitRun(session, chainRun(head, events, incarnation), changes);
  }
}

/** Compares a standby with what home's log says the state at the standby's head is. */
export async function compareWithLog(
  home: TestDatabase,
  standby: TestDatabase,
  scope: Scope = wholeScope,
): Promise<Comparison> {
  await using replay = await openReplay({
    definition: configurationLog,
    source: home.url,
    scratch: standby.url,
  });
  const { seq } = await readHead(standby.database);
  await replay.advance({ seq });
  return await compareSides({
    ours: sideOf(standby.database),
    theirs: replay.side,
    tables: configurationLog.tablesOf(scope),
    differencesMax: 10,
  });
}
