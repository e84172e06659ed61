import { DualhomeError, isDualhomeError } from '../../../protocol/errors/index.ts';
import { delay } from '../../lifecycle/abort.ts';
import { backoffMs, defaultBackoff } from '../../lifecycle/backoff.ts';
import type { BackoffPolicy } from '../../lifecycle/backoff.ts';
import type { Logger } from '../../logging/logger.ts';
import { isFileName } from '../file-name.ts';
import { Download } from './download.ts';
import type { DownloadFile } from './download.ts';
import { FtpSession } from './ftp-session.ts';
import type { FtpServerAddress } from './ftp-session.ts';
import { Slots } from './slots.ts';
import { Upload } from './upload.ts';
import type { FileTransferOptions, UploadFile } from './upload.ts';

export type FtpRetryPolicy = {
  /** Failures in a row, without a byte gained, after which a file is given up. */
  readonly attemptsMax: number;
  readonly backoff: BackoffPolicy;
};

export type FtpClientOptions = {
  readonly server: FtpServerAddress;
  /** Files transferred at the same time, each over a session of its own. */
  readonly sessionsMax: number;
  /** Without an answer, or without a byte moving; also the longest the server may take to hash a file. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: FtpRetryPolicy | undefined;
  readonly log: Logger;
};

const defaultRetry: FtpRetryPolicy = { attemptsMax: 8, backoff: defaultBackoff };

/** A transfer that goes on where its last attempt stopped. */
type Job = { readonly reachedBytes: number; attempt(session: FtpSession): Promise<void> };

/**
 * Moves files to and from one FTP server, resuming after breaks.
 *
 * Invariants: an upload or download that resolves was verified and has its final name; one that rejects left at most
 * a partial file. Never more than `sessionsMax` sessions are open; disposing ends all of them, and all transfers.
 */
export class FtpClient implements AsyncDisposable {
  readonly #options: FtpClientOptions;
  readonly #slots: Slots;
  readonly #idle: FtpSession[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: FtpClientOptions) {
    this.#options = options;
    this.#slots = new Slots(options.sessionsMax);
  }

  /** Rejects with a DualhomeError (FTP_…), or with the signal's reason. */
  async upload(file: UploadFile, options: FileTransferOptions): Promise<void> {
    const signal = this.#until(options.signal);
    await this.#track(file.name, new Upload(file, { ...options, signal }), signal);
  }

  /** Rejects with a DualhomeError (FTP_…), or with the signal's reason. */
  async download(file: DownloadFile, options: FileTransferOptions): Promise<void> {
    const signal = this.#until(options.signal);
    await this.#track(file.name, new Download(file, { ...options, signal }), signal);
  }

  /** Removes the files whose names begin with `prefix`, partial ones too. Rejects like `upload`. */
  async removeAll(prefix: string, options: { readonly signal: AbortSignal }): Promise<void> {
    const signal = this.#until(options.signal);
    await this.#track(
      prefix,
      { reachedBytes: 0, attempt: (session) => removeAll(session, prefix, signal) },
      signal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    for (const session of this.#idle.splice(0)) session[Symbol.dispose]();
  }

  #until(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }

  async #track(name: string, job: Job, signal: AbortSignal): Promise<void> {
    if (!isFileName(name)) throw new DualhomeError('FTP_NAME_INVALID', { facts: { name } });
    const running = this.#persist(name, job, signal);
    this.#running.add(running);
    try {
      await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Attempts, until one succeeds, or fails for good, or too many in a row gained nothing. */
  async #persist(name: string, job: Job, signal: AbortSignal): Promise<void> {
    const { attemptsMax, backoff } = this.#options.retry ?? defaultRetry;
    using _slot = await this.#slots.take(signal);
    let reachedBytes = 0;
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#attempt(job, signal);
      } catch (error) {
        const canRetry = isDualhomeError(error) && error.definition.retry === 'yes';
        if (job.reachedBytes > reachedBytes) failures = 1;
        if (!canRetry || failures >= attemptsMax) throw error;
        reachedBytes = job.reachedBytes;
        this.#options.log.warn(
          { err: error, file: name, reachedBytes, failures },
          'FTP transfer interrupted',
        );
        await delay(backoffMs(backoff, failures, Math.random()), signal);
      }
    }
  }

  async #attempt(job: Job, signal: AbortSignal): Promise<void> {
    const session = await this.#session(signal);
    try {
      await job.attempt(session);
    } catch (error) {
      session[Symbol.dispose]();
      throw error;
    }
    this.#idle.push(session);
  }

  /** One left by an earlier transfer, if the server has not closed it meanwhile. */
  async #session(signal: AbortSignal): Promise<FtpSession> {
    for (let session = this.#idle.pop(); session; session = this.#idle.pop()) {
      if (!session.closed) return session;
      session[Symbol.dispose]();
    }
    const { server, timeoutMs = 30_000 } = this.#options;
    return FtpSession.open(server, { timeoutMs, signal });
  }
}

async function removeAll(session: FtpSession, prefix: string, signal: AbortSignal): Promise<void> {
  const names = await session.names(signal);
  for (const name of names.filter((each) => each.startsWith(prefix))) await session.remove(name, signal);
}
