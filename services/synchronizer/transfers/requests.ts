import { z } from 'zod';
import { chunkDigestSchema, signedManifestSchema, snapshotHeaderSchema } from '../../protocol/manifest.ts';

/** What the sending site asks of the receiving one. Every request may be repeated. */

/** May I send this? The answer is where to, and a login for this transfer alone. */
export const beginSchema = z.strictObject({ header: snapshotHeaderSchema });
export const offerSchema = z.object({
  host: z.string(),
  port: z.int(),
  security: z.enum(['implicit', 'plain']),
  user: z.string(),
  password: z.string(),
});
export type Offer = z.infer<typeof offerSchema>;

const transfer = { transfer: z.uuid() };

/** This chunk's file is complete at your FTP server. */
export const chunkSchema = z.strictObject({ ...transfer, digest: chunkDigestSchema });

/** That was all: check it, put it in place. */
export const sealSchema = z.strictObject({ ...transfer, manifest: signedManifestSchema });

export const lookSchema = z.strictObject(transfer);

/** How far the receiving side is. `unknown`: it does not know this transfer (any more). */
export const receivedSchema = z.object({
  state: z.enum(['unknown', 'receiving', 'finishing', 'done', 'failed']),
  rows: z.int().nonnegative(),
  error: z.object({ code: z.string(), detail: z.string() }).nullable(),
});
export type Received = z.infer<typeof receivedSchema>;
