import type { ChunkDigest } from '../../protocol/manifest.ts';
import type { SynchronizerContext } from '../ports.ts';
import { openNamedReception } from './named-server.ts';
import { openOwnReception } from './own-server.ts';
import type { Offer } from './requests.ts';

/** Where the files of one transfer arrive. Disposing revokes the offer and removes what was left there. */
export type Landing = AsyncDisposable & {
  readonly offer: Offer;
  /** Has the file of a chunk, which its sender says is complete, under its name in the transfer's directory. */
  fetch(digest: ChunkDigest, signal: AbortSignal): Promise<void>;
  /** All has been sent: nothing more may be written. */
  close(): void;
};

/** Where peers push to: the site's own FTP server, or the one site.yaml names. */
export type Reception = AsyncDisposable & {
  /** `directory` exists, and is of this transfer alone. */
  land(peer: string, transfer: string, directory: string): Promise<Landing>;
};

/** @throws FTP_LISTEN_FAILED, FILES_UNREADABLE */
export async function openReception(context: SynchronizerContext): Promise<Reception> {
  const { server } = context.config.ftp;
  return server ? await openNamedReception(context, server) : await openOwnReception(context);
}
