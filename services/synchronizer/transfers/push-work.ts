import { mkdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import type { ChunkDigest } from '../../protocol/manifest.ts';
import { chunkFileName } from '../../protocol/manifest.ts';
import type { SnapshotExport } from '../../log/snapshot/export.ts';
import { openExport } from '../../log/snapshot/export.ts';
import type { Signer } from '../../platform/crypto/signing.ts';
import type { FtpClient } from '../../platform/ftp/client/ftp-client.ts';
import { openLocalFile } from '../../platform/ftp/client/upload.ts';
import { delay } from '../../platform/lifecycle/abort.ts';
import type { JobWork } from '../jobs/runner.ts';
import { partId } from '../jobs/remote.ts';
import { sendingOf } from '../peer-logs.ts';
import type { PeerLink, SynchronizerContext } from '../ports.ts';
import { countScope } from '../store/scope-size.ts';
import { failureOf, offerSchema, receivedSchema } from './requests.ts';
import type { Offer, Received } from './requests.ts';
import { requireSpace } from './spool.ts';

/** Chunks on our disk that have not arrived yet; the export waits while there are as many. */
const chunksWaitingMax = 6;
const lookMs = 100;

export type PushOptions = {
  readonly signer: Signer;
  readonly clientFor: (offer: Offer, peer: string) => Promise<FtpClient>;
};

/**
 * Sends this site's state to the peer: export, upload and import overlap, chunk by chunk; then the
 * signed manifest seals the whole, and the peer verifies, rolls forward and swaps.
 * An attempt that breaks begins again at a new point, under another id.
 */
export function pushWork(context: SynchronizerContext, { signer, clientFor }: PushOptions): JobWork {
  const { config, reservations } = context;
  return async (job, { signal, phase, count }) => {
    const { scope } = job;
    const { link, own } = sendingOf(context, job.peer, job.log);
    const { database, definition } = own;
    const ask = asking(link, signal);
    const transfer = partId(job.id, `transfer/${job.attempts}`);
    const directory = join(config.spool.outgoing, transfer);
    await mkdir(directory, { recursive: true });
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => rm(directory, { recursive: true, force: true }));
    await requireSpace(directory);

    phase('counting');
    await link.whenUp(signal);
    const total = await countScope(database, definition, scope);
    const exported = cleanup.use(
      await openExport({
        definition,
        database,
        site: config.site,
        transfer,
        scope,
        directory,
        signer,
        signal,
      }),
    );
    cleanup.use(reservations.hold(job.log, exported.header.seq));
    const offer = await ask('transfer.begin', { header: exported.header }, offerSchema);
    cleanup.defer(async () => {
      await link.request('transfer.end', { transfer }, z.unknown()).catch(() => undefined);
    });
    const client = cleanup.use(await clientFor(offer, job.peer));

    phase('copying');
    const tally = { rowsDone: 0, bytesDone: 0, rowsTotal: total.rows, bytesTotal: total.bytes };
    const look = () => ask('transfer.look', { transfer }, receivedSchema);
    const send = async (digest: ChunkDigest): Promise<void> => {
      await sendChunk(client, directory, offer.prefix, digest, signal);
      await ask('transfer.chunk', { transfer, digest }, z.unknown());
      tally.rowsDone += digest.rows;
      tally.bytesDone += digest.rawBytes;
      count({ ...tally });
    };
    await sendChunks(exported, signal, send).catch(async (error: unknown) => {
      signal.throwIfAborted();
      throw (await reasonOf(look)) ?? error;
    });

    phase('verifying and swapping');
    await ask('transfer.seal', { transfer, manifest: exported.seal() }, z.unknown());
    await untilDone(look, signal).catch(async (error: unknown) => {
      if (!isDualhomeError(signal.reason, 'JOB_CANCELLED') || !(await wasTaken(link, transfer))) throw error;
    });
    return { transfer, seq: exported.header.seq, rows: tally.rowsDone, bytes: tally.bytesDone };
  };
}

/** Exports on while earlier chunks are sent, at most `chunksWaitingMax` at a time; the first failure ends all. */
async function sendChunks(
  exported: SnapshotExport,
  signal: AbortSignal,
  send: (digest: ChunkDigest) => Promise<void>,
): Promise<void> {
  const sending = new Set<Promise<void>>();
  try {
    for await (const digest of exported.chunks()) {
      signal.throwIfAborted();
      const sent: Promise<void> = send(digest).then(() => void sending.delete(sent));
      sent.catch(() => undefined);
      sending.add(sent);
      if (sending.size >= chunksWaitingMax) await Promise.race(sending);
    }
    await Promise.all(sending);
  } finally {
    await Promise.allSettled(sending);
  }
}

async function sendChunk(
  client: FtpClient,
  directory: string,
  prefix: string,
  digest: ChunkDigest,
  signal: AbortSignal,
): Promise<void> {
  const file = chunkFileName(digest);
  const path = join(directory, file);
  const name = prefix + file;
  const { storedBytes: bytes, sha256 } = digest;
  await client.upload({ name, bytes, sha256, open: openLocalFile(path) }, { signal });
  await unlink(path);
}

async function untilDone(look: () => Promise<Received>, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { state, error } = await look();
    if (state === 'done') return;
    if (state === 'failed' && error) throw failureOf(error);
    if (state === 'unknown') throw new DualhomeError('TRANSFER_LOST');
    await delay(lookMs, signal);
  }
}

/** Ends a transfer that was cancelled; whether it was in place by then. */
async function wasTaken(link: PeerLink, transfer: string): Promise<boolean> {
  try {
    await link.request('transfer.end', { transfer }, z.unknown());
    return (await link.request('transfer.look', { transfer }, receivedSchema)).state === 'done';
  } catch {
    return false;
  }
}

/** Why the receiving side has given up, which shows here as a login that no longer works. */
async function reasonOf(look: () => Promise<Received>): Promise<DualhomeError | undefined> {
  const { state, error } = await look().catch(() => ({ state: undefined, error: null }));
  // A receiver that began anew refuses the login of the transfer it has forgotten, which says nothing about the next one.
  if (state === 'unknown') return new DualhomeError('TRANSFER_LOST');
  return error ? failureOf(error) : undefined;
}

/** Asks until there is an answer: requests of a transfer may be repeated, so a link that goes down costs only time. */
function asking(link: PeerLink, signal: AbortSignal) {
  return async <T>(method: string, params: unknown, result: z.ZodType<T>): Promise<T> => {
    for (;;) {
      await link.whenUp(signal);
      try {
        return await link.request(method, params, result, { signal });
      } catch (error) {
        if (!isDualhomeError(error, 'LINK_DOWN') && !isDualhomeError(error, 'LINK_REQUEST_TIMEOUT'))
          throw error;
      }
    }
  };
}
