import { rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DualhomeError, isDualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { LogName } from '../../protocol/names.ts';
import { chunkFileName } from '../../protocol/manifest.ts';
import type { ChunkDigest, SignedManifest, SnapshotHeader } from '../../protocol/manifest.ts';
import { importSnapshot } from '../../log/snapshot/import.ts';
import type { ChunkFile } from '../../log/snapshot/import.ts';
import type { Verifier } from '../../platform/crypto/signing.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { CopyOptions } from '../copy.ts';
import type { ApplyLane } from '../ports.ts';
import { ChunkQueue } from './chunk-queue.ts';
import type { Landing } from './reception.ts';
import type { Offer, Received } from './requests.ts';

export type IncomingOptions = {
  readonly header: SnapshotHeader;
  readonly peer: string;
  readonly copy: CopyOptions;
  readonly lane: ApplyLane;
  readonly verifier: Verifier;
  readonly landing: Landing;
  /** The events of the standby's own log that bring the snapshot up to it. */
  readonly reserved: Disposable;
  /** Of this transfer alone. */
  readonly directory: string;
  readonly log: Logger;
  /** Told when the snapshot is in place. */
  readonly onTaken: () => Promise<void>;
};

/**
 * One snapshot on its way in. Its files are imported as they arrive; what they are worth is decided when
 * the signed manifest has come.
 *
 * Invariant: what was offered ends when the last chunk was announced, its files when it ends, whichever way.
 */
export class Incoming implements AsyncDisposable {
  readonly peer: string;
  readonly #options: IncomingOptions;
  readonly #chunks = new ChunkQueue();
  readonly #manifest = Promise.withResolvers<SignedManifest>();
  readonly #stop = new AbortController();
  readonly #work: Promise<void>;
  #received: Received = { state: 'receiving', rows: 0, error: null };

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.#manifest.promise.catch(() => undefined);
    this.#work = this.#import();
  }

  get log(): LogName {
    return this.#options.header.log;
  }

  /** Where the sender is to put the files. */
  get offer(): Offer {
    return this.#options.landing.offer;
  }

  get received(): Received {
    return this.#received;
  }

  /** The swap may still go on; before it nothing is in place. */
  get ended(): boolean {
    return this.#received.state === 'done' || this.#received.state === 'failed';
  }

  arrived(digest: ChunkDigest): void {
    this.#chunks.push({ digest, path: join(this.#options.directory, chunkFileName(digest)) });
  }

  seal(manifest: SignedManifest): void {
    this.#chunks.end();
    this.#manifest.resolve(manifest);
    this.#options.landing.close();
    if (this.#received.state === 'receiving') this.#received = { ...this.#received, state: 'finishing' };
  }

  /** Gives it up unless it is done, and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reason = new DualhomeError('TRANSFER_LOST');
    this.#options.landing.close();
    this.#stop.abort(reason);
    this.#chunks.end();
    this.#manifest.reject(reason);
    await this.#work;
  }

  async #import(): Promise<void> {
    const { header, copy, lane, verifier, landing, reserved, directory, log, onTaken } = this.#options;
    const { signal } = this.#stop;
    try {
      const outcome = await importSnapshot({
        url: copy.url,
        schema: copy.schema,
        header,
        peer: this.peer,
        chunks: this.#fetched(),
        manifest: () => this.#manifest.promise,
        verifier,
        exclusive: (work) => lane.exclusive(work, signal),
        onProgress: (progress) => {
          if (progress.phase === 'loading') this.#received = { ...this.#received, rows: progress.rows };
        },
        onLoaded: ({ path }) => void unlink(path).catch(() => undefined),
        signal,
      });
      this.#received = { state: 'done', rows: outcome.rows, error: null };
      log.info({ transfer: header.transfer, peer: this.peer, ...outcome }, 'snapshot in place');
      lane.restart();
      await onTaken().catch((error: unknown) => log.warn({ err: error }, 'its history is not fetched'));
    } catch (error) {
      const code = isDualhomeError(error) ? error.code : 'JOB_DEFECT';
      const detail = isDualhomeError(error) ? (error.detail ?? '') : messageOf(error);
      this.#received = { ...this.#received, state: 'failed', error: { code, detail } };
      log.warn({ err: error, transfer: header.transfer, peer: this.peer }, 'snapshot not taken');
    } finally {
      reserved[Symbol.dispose]();
      await landing[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    }
  }

  async *#fetched(): AsyncGenerator<ChunkFile> {
    for await (const chunk of this.#chunks) {
      await this.#options.landing.fetch(chunk.digest, this.#stop.signal);
      yield chunk;
    }
  }
}
