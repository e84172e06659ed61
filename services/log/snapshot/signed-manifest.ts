import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { Manifest, SignedManifest, SnapshotHeader } from '../../protocol/manifest.ts';
import { manifestSchema } from '../../protocol/manifest.ts';
import type { Signer, Verifier } from '../../platform/crypto/signing.ts';

/** What is signed begins so, that no signature of anything else is ever one of a manifest. */
const domain = 'dualhome snapshot manifest\n';

export function signManifest(manifest: Manifest, signer: Signer): SignedManifest {
  const text = JSON.stringify(manifest);
  return { manifest: text, signature: signer.sign(domain + text) };
}

/**
 * The manifest, once it is proven to be the peer's and of the snapshot that was announced.
 *
 * @throws TRANSFER_MANIFEST_BROKEN, TRANSFER_MANIFEST_FOREIGN
 */
export function openManifest(
  signed: SignedManifest,
  { header, verifier }: { readonly header: SnapshotHeader; readonly verifier: Verifier },
): Manifest {
  if (!verifier.verify(domain + signed.manifest, signed.signature))
    throw new DualhomeError('TRANSFER_MANIFEST_BROKEN', {
      detail: 'The signature is not the one of the peer.',
    });
  const manifest = parseManifest(signed.manifest);
  if (!isDeepStrictEqual(manifest.header, header))
    throw new DualhomeError('TRANSFER_MANIFEST_FOREIGN', {
      detail: `It is of transfer ${manifest.header.transfer} of ${manifest.header.site} at ${manifest.header.seq}.`,
      facts: { transfer: manifest.header.transfer, expected: header.transfer },
    });
  return manifest;
}

/** @throws TRANSFER_MANIFEST_BROKEN */
function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DualhomeError('TRANSFER_MANIFEST_BROKEN', { detail: messageOf(error), cause: error });
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new DualhomeError('TRANSFER_MANIFEST_BROKEN', {
    detail: z.prettifyError(parsed.error),
    cause: parsed.error,
  });
}
