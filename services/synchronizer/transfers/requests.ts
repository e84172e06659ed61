import { z } from 'zod';
import { DualhomeError, errorRegistry } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';
import { chunkDigestSchema, signedManifestSchema, snapshotHeaderSchema } from '../../protocol/manifest.ts';

/** What the sending site asks of the receiving one. Every request may be repeated. */

/** May I send this? The answer is where to, and a login for this transfer alone. */
export const beginSchema = z.strictObject({ header: snapshotHeaderSchema });
export const offerSchema = z.object({
  host: z.string(),
  port: z.int(),
  security: z.enum(['implicit', 'explicit', 'plain']),
  user: z.string(),
  password: z.string(),
  /** What the name of every file of this transfer begins with there. */
  prefix: z.string().default(''),
  /** Set where it is not the receiving site's own server; `authority` is the PEM its certificate is checked by. */
  named: z.object({ directory: z.string().optional(), authority: z.string().optional() }).optional(),
});
export type Offer = z.infer<typeof offerSchema>;

const transfer = { transfer: z.uuid() };

/** This chunk's file is complete at your FTP server. */
export const chunkSchema = z.strictObject({ ...transfer, digest: chunkDigestSchema });

/** That was all: check it, put it in place. */
export const sealSchema = z.strictObject({ ...transfer, manifest: signedManifestSchema });

export const lookSchema = z.strictObject(transfer);

const failureSchema = z.object({ code: z.string(), detail: z.string() });

/** How far the receiving side is. `unknown`: it does not know this transfer (any more). */
export const receivedSchema = z.object({
  state: z.enum(['unknown', 'receiving', 'finishing', 'done', 'failed']),
  rows: z.int().nonnegative(),
  error: failureSchema.nullable(),
});
export type Received = z.infer<typeof receivedSchema>;

/** The error the receiving side met, under its own code where this version knows it. */
export function failureOf({ code, detail }: z.infer<typeof failureSchema>): DualhomeError {
  if (Object.hasOwn(errorRegistry, code)) return new DualhomeError(code as ErrorCode, { detail });
  return new DualhomeError('JOB_PEER_FAILED', { detail: `${code}: ${detail}` });
}
