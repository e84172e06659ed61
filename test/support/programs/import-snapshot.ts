import { readFile } from 'node:fs/promises';
import { readHead } from '../../../services/log/head.ts';
import { importSnapshot } from '../../../services/log/snapshot/import.ts';
import type { ChunkFile } from '../../../services/log/snapshot/import.ts';
import { Verifier } from '../../../services/platform/crypto/signing.ts';
import { openDatabase } from '../../../services/platform/postgres/database.ts';
import type { SignedManifest, SnapshotHeader } from '../../../services/protocol/manifest.ts';

/** Imports the snapshot that the file named by the first argument describes; killed at failpoints by tests. */
export type ImportProgramInput = {
  readonly url: string;
  readonly header: SnapshotHeader;
  readonly chunks: readonly ChunkFile[];
  readonly manifest: SignedManifest;
  readonly publicKeyPem: string;
};

const { url, header, chunks, manifest, publicKeyPem } = JSON.parse(
  await readFile(process.argv[2] ?? '', 'utf8'),
) as ImportProgramInput;
await using standby = openDatabase({ url, applicationName: 'test lane' });
await importSnapshot({
  url,
  header,
  peer: 'c1',
  chunks: (async function* () {
    yield* chunks;
  })(),
  manifest: async () => manifest,
  verifier: new Verifier(publicKeyPem),
  exclusive: async (work) => work(await readHead(standby)),
  signal: new AbortController().signal,
});
