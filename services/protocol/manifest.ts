import { z } from 'zod';
import { incarnationSchema } from './event.ts';
import { LogName, siteNameSchema } from './names.ts';
import { scopeSchema } from './scope.ts';

/**
 * Version of the snapshot format: text COPY of PostgreSQL in chunks of whole rows, each compressed
 * with zstd.
 *
 * History: 1 - first format.
 */
export const snapshotFormat = 1;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const identifierSchema = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/);
const countSchema = z.int().nonnegative();

/** What a snapshot is, known before its first chunk. */
export const snapshotHeaderSchema = z.strictObject({
  format: z.int().positive(),
  /** The transfer it was made for; it serves no other. */
  transfer: z.uuid(),
  site: siteNameSchema,
  log: z.enum(LogName),
  /** The snapshot's point: the state is that of the log at exactly this position. */
  incarnation: incarnationSchema,
  seq: countSchema,
  hash: sha256Schema,
  scope: scopeSchema,
  /** Tables in the order in which they are sent, with the columns of a line in their order. */
  tables: z
    .array(z.strictObject({ name: identifierSchema, columns: z.array(identifierSchema).min(1) }))
    .max(64),
});
export type SnapshotHeader = z.infer<typeof snapshotHeaderSchema>;

/** One file of a snapshot. Numbers count within a table, from 0 without gaps. */
export const chunkDigestSchema = z.strictObject({
  table: identifierSchema,
  index: countSchema,
  rows: countSchema,
  /** Bytes of COPY text, and of the file. */
  rawBytes: countSchema,
  storedBytes: countSchema,
  /** Of the file. */
  sha256: sha256Schema,
});
export type ChunkDigest = z.infer<typeof chunkDigestSchema>;

/** Everything a snapshot consists of. */
export const manifestSchema = z.strictObject({
  header: snapshotHeaderSchema,
  chunks: z.array(chunkDigestSchema),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** `manifest` is the JSON text of a Manifest, which the signature (Ed25519, base64) is over. */
export const signedManifestSchema = z.strictObject({ manifest: z.string(), signature: z.string() });
export type SignedManifest = z.infer<typeof signedManifestSchema>;

/** Name of a chunk's file, which follows from what it is: no name is ever taken from a peer. */
export const chunkFileName = ({ table, index }: Pick<ChunkDigest, 'table' | 'index'>): string =>
  `${table}.${String(index).padStart(6, '0')}.zst`;
