import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import { chunkFileName } from '../../protocol/manifest.ts';
import type { FtpServerConfig } from '../../protocol/program-config.ts';
import { broken } from '../../log/snapshot/chunk-file.ts';
import { readPem } from '../../platform/tls/identity-files.ts';
import type { SynchronizerContext } from '../ports.ts';
import { clientFor } from './client.ts';
import type { Reception } from './reception.ts';
import type { Offer } from './requests.ts';

/** For what is only tidying up. */
const tidyMaxMs = 10_000;

/**
 * Peers push to a server that site.yaml names, and this site fetches from there. Others may use the same server and
 * directory: files are known by this site's name and the transfer.
 *
 * Invariant: what lies there is never trusted, each file is checked against its digest after it was fetched; and
 * nothing of a transfer stays there when it has ended, or when the next run begins.
 */
export async function openNamedReception(
  context: SynchronizerContext,
  server: FtpServerConfig,
): Promise<Reception> {
  const { config, log } = context;
  const own = `dualhome-${config.site}-`;
  const tidy = async (prefix: string): Promise<void> => {
    await using client = clientFor(context, await offerOf(server, prefix));
    await client.removeAll(prefix, { signal: AbortSignal.timeout(tidyMaxMs) });
  };
  const tidyQuietly = (prefix: string): Promise<void> =>
    tidy(prefix).catch((error: unknown) =>
      log.warn({ err: error, prefix }, 'files are left at the FTP server'),
    );
  const tidied = tidyQuietly(own);
  return {
    land: async (_peer, transfer, directory) => {
      await tidied;
      const prefix = `${own}${transfer}.`;
      const offer = await offerOf(server, prefix);
      const client = clientFor(context, offer);
      return {
        offer,
        fetch: async (digest, signal) => {
          const { storedBytes: bytes, sha256 } = digest;
          const file = chunkFileName(digest);
          const path = join(directory, file);
          await client
            .download({ name: prefix + file, bytes, sha256, path }, { signal })
            .catch((error: unknown) => {
              if (isDualhomeError(error, 'FTP_CONTENT_MISMATCH'))
                throw broken(digest, 'another file arrived', error);
              throw error;
            });
        },
        close: () => undefined,
        [Symbol.asyncDispose]: async () => {
          await client[Symbol.asyncDispose]();
          await tidyQuietly(prefix);
        },
      };
    },
    [Symbol.asyncDispose]: () => tidied,
  };
}

/** Read anew for each transfer, so that a changed password or authority is taken up. */
async function offerOf(
  { address, security, user, passwordFile, directory, caFile }: FtpServerConfig,
  prefix: string,
): Promise<Offer> {
  const password = await readFile(passwordFile, 'utf8').catch((cause: unknown) => {
    throw new DualhomeError('FILES_UNREADABLE', {
      detail: passwordFile,
      facts: { path: passwordFile },
      cause,
    });
  });
  const authority = caFile === undefined ? undefined : await readPem(caFile);
  return {
    ...address,
    security,
    user,
    password: password.trimEnd(),
    prefix,
    named: { directory, authority },
  };
}
