import { join } from 'node:path';
import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { manifestSchema, signedManifestSchema } from '../../protocol/manifest.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { siteNameSchema } from '../../protocol/names.ts';
import { readJsonFile } from '../../platform/files/json.ts';

/**
 * A directory with all that a lost site is rebuilt from: chunk files of its state, its events, and the key that opens
 * its sealed secrets. It is made at a site that holds the copy, and carried by hand.
 */
const savedCopySchema = z.strictObject({
  format: z.literal(1),
  /** Whose copy it is, and who has saved it. */
  site: siteNameSchema,
  holder: siteNameSchema,
  /** Signed by the holder; lists the chunk files. */
  manifest: signedManifestSchema,
  holderPublicKeyPem: z.string(),
  /** With it the site's secrets were sealed. */
  sealingKeyHex: z.string().regex(/^[0-9a-f]{64}$/),
  /** The events that are here follow this point and end at that of the state. */
  history: z.strictObject({ seq: z.int().nonnegative(), hash: z.string().regex(/^[0-9a-f]{64}$/) }),
});
export type SavedCopy = z.infer<typeof savedCopySchema>;

export const copyFile = (directory: string): string => join(directory, 'copy.json');
export const historyFile = (directory: string): string => join(directory, 'history.ndjson.zst');

/** One event, as a line of the history. */
export const historyLineSchema = z.strictObject({ timeMs: z.int(), body: z.base64() });

/** @throws SITE_COPY_UNUSABLE, FILES_INVALID */
export async function readSavedCopy(
  directory: string,
  site: string,
): Promise<{ readonly copy: SavedCopy; readonly manifest: Manifest }> {
  const copy = await readJsonFile(copyFile(directory), savedCopySchema);
  if (!copy) throw new DualhomeError('SITE_COPY_UNUSABLE', { detail: `there is no ${copyFile(directory)}` });
  if (copy.site !== site)
    throw new DualhomeError('SITE_COPY_UNUSABLE', {
      detail: `it is of ${copy.site}, and this site is ${site}`,
    });
  return { copy, manifest: manifestSchema.parse(JSON.parse(copy.manifest.manifest)) };
}
