import { isDeepStrictEqual } from 'node:util';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { ChunkDigest, Manifest, SnapshotHeader } from '../../protocol/manifest.ts';
import { snapshotFormat } from '../../protocol/manifest.ts';
import { logNamed } from '../definition.ts';
import { columnsOf } from '../tables.ts';

/**
 * A snapshot that was announced is of the format, the tables and the site we expect.
 *
 * @throws TRANSFER_FORMAT_UNKNOWN, TRANSFER_MANIFEST_FOREIGN
 */
export function requireKnown({ format, site, log, scope, tables }: SnapshotHeader, peer: string): void {
  const expected = logNamed(log)
    .tablesOf(scope)
    .map((table) => ({ name: table.name, columns: columnsOf(table) }));
  const kindsKnown = scope.kinds === null || scope.kinds.length === expected.length;
  if (format !== snapshotFormat || !kindsKnown || !isDeepStrictEqual(expected, tables))
    throw new DualhomeError('TRANSFER_FORMAT_UNKNOWN', { facts: { format, tables } });
  if (site !== peer)
    throw new DualhomeError('TRANSFER_MANIFEST_FOREIGN', {
      detail: `It is of ${site}, not of ${peer}.`,
      facts: { site, peer },
    });
}

/**
 * Exactly the chunks of the manifest were loaded, each once, and the numbers within each table have no gap.
 *
 * @throws TRANSFER_MANIFEST_BROKEN
 */
export function requireListed({ chunks }: Manifest, loaded: readonly ChunkDigest[]): void {
  const listed = inOrder(chunks);
  const dense = listed.every(({ table, index }, at) => {
    const before = listed[at - 1];
    return index === (before?.table === table ? before.index + 1 : 0);
  });
  if (dense && isDeepStrictEqual(listed, inOrder(loaded))) return;
  throw new DualhomeError('TRANSFER_MANIFEST_BROKEN', {
    detail: `It lists ${chunks.length} chunks; what arrived are ${loaded.length}, or others.`,
  });
}

function inOrder(chunks: readonly ChunkDigest[]): readonly ChunkDigest[] {
  return chunks.toSorted((a, b) => (a.table === b.table ? a.index - b.index : a.table < b.table ? -1 : 1));
}
