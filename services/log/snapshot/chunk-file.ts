import { hash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { ChunkDigest } from '../../protocol/manifest.ts';
import type { Rows } from './cut-rows.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Level 1: 259 MB/s and a fifth of the size; level 3 takes twice as long for nothing (of COPY text). */
const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };

/** Output comes in one piece as long as the text: half the processor time of many small ones. */
const outputBytesMin = 1024;

/** Largest file, and largest text that is taken for a chunk: a row has its limit, and so has a chunk of rows. */
export const chunkBytesMax = 256 * 1024 * 1024;

/** Writes rows as one compressed file. */
export async function writeChunk(
  path: string,
  { text, rows }: Rows,
  place: Pick<ChunkDigest, 'table' | 'index'>,
): Promise<ChunkDigest> {
  const stored = await compress(text, { params, chunkSize: Math.max(text.length, outputBytesMin) });
  await writeFile(path, stored);
  return {
    ...place,
    rows,
    rawBytes: text.length,
    storedBytes: stored.length,
    sha256: hash('sha256', stored, 'hex'),
  };
}

/**
 * The rows of a file, read once: what is hashed is what is returned.
 *
 * @throws TRANSFER_CHUNK_BROKEN unless it is exactly the file the digest was made of
 */
export async function readChunk(path: string, digest: ChunkDigest): Promise<Buffer> {
  const stored = await readFile(path).catch((error: unknown) => {
    throw broken(digest, messageOf(error), error);
  });
  if (stored.length !== digest.storedBytes)
    throw broken(digest, `${stored.length} bytes instead of ${digest.storedBytes}`);
  if (hash('sha256', stored, 'hex') !== digest.sha256) throw broken(digest, 'its SHA-256 is another');
  if (digest.rawBytes > chunkBytesMax) throw broken(digest, `more than ${chunkBytesMax} bytes of text`);
  const chunkSize = Math.max(digest.rawBytes, outputBytesMin);
  const raw = await decompress(stored, { chunkSize, maxOutputLength: chunkSize }).catch((error: unknown) => {
    throw broken(digest, messageOf(error), error);
  });
  if (raw.length !== digest.rawBytes)
    throw broken(digest, `${raw.length} bytes of text instead of ${digest.rawBytes}`);
  return raw;
}

export function broken(digest: ChunkDigest, reason: string, cause?: unknown): DualhomeError {
  const { table, index } = digest;
  return new DualhomeError('TRANSFER_CHUNK_BROKEN', {
    detail: `Chunk ${index} of ${table}: ${reason}.`,
    facts: { table, index },
    cause,
  });
}
