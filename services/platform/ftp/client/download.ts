import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { DualhomeError } from '../../../protocol/errors/index.ts';
import { failureOf } from './failure.ts';
import type { FtpSession } from './ftp-session.ts';
import type { FileTransferOptions } from './upload.ts';

/** What is to be downloaded, as it must turn out. */
export type DownloadFile = {
  /** Name at the server. */
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal digits. */
  readonly sha256: string;
  /** Where it goes; until it is verified, it lies in `<path>.part`. */
  readonly path: string;
};

/**
 * One download over as many attempts as it takes.
 *
 * Invariant: the final path is given only to a file with the right size and SHA-256. A partial file is continued
 * whoever made it, and begun anew when the whole turns out wrong.
 */
export class Download {
  readonly #file: DownloadFile;
  readonly #options: FileTransferOptions;
  readonly #part: string;
  #reachedBytes = 0;

  constructor(file: DownloadFile, options: FileTransferOptions) {
    this.#file = file;
    this.#options = options;
    this.#part = `${file.path}.part`;
  }

  /** The most bytes any attempt found on disk: grows while attempts are worth it. */
  get reachedBytes(): number {
    return this.#reachedBytes;
  }

  /**
   * One attempt: find what is there, fetch the rest, verify, rename.
   *
   * @throws FTP_TRANSFER_INCOMPLETE when another attempt is needed, FTP_CONTENT_MISMATCH when none will help,
   *   FTP_LOCAL_FILE, and what the session throws
   */
  async attempt(session: FtpSession): Promise<void> {
    const { bytes, path } = this.#file;
    try {
      const size = (await this.#localBytes()) ?? 0;
      const startByte = size > bytes ? 0 : size;
      this.#reachedBytes = Math.max(this.#reachedBytes, startByte);
      if (startByte < bytes || bytes === 0) await this.#fetch(session, startByte);
      await this.#verify(startByte);
      await rename(this.#part, path);
    } catch (error) {
      this.#options.signal.throwIfAborted();
      throw failureOf(error, 'open', { name: this.#file.name, path });
    }
  }

  async #fetch(session: FtpSession, startByte: number): Promise<void> {
    const { name, bytes } = this.#file;
    const { signal, onProgress } = this.#options;
    const target = createWriteStream(this.#part, {
      flags: startByte === 0 ? 'w' : 'r+',
      start: startByte,
      highWaterMark: 1 << 20,
    });
    const onBytes = () => {
      const reached = startByte + target.bytesWritten;
      if (reached > bytes) target.destroy(this.#mismatch());
      onProgress?.(reached);
    };
    await session.retrieve(name, target, startByte, { signal, onBytes });
  }

  async #verify(startByte: number): Promise<void> {
    const { name, bytes, sha256 } = this.#file;
    const size = await this.#localBytes();
    if (size !== undefined && size < bytes) {
      throw new DualhomeError('FTP_TRANSFER_INCOMPLETE', { facts: { name, bytes, size } });
    }
    const hash = createHash('sha256');
    const { signal } = this.#options;
    await pipeline(createReadStream(this.#part, { highWaterMark: 1 << 20 }), hash, { signal });
    if (size === bytes && hash.digest('hex') === sha256) return;
    await rm(this.#part);
    if (startByte === 0) throw this.#mismatch();
    throw new DualhomeError('FTP_TRANSFER_INCOMPLETE', { facts: { name, startByte } });
  }

  async #localBytes(): Promise<number | undefined> {
    try {
      return (await stat(this.#part)).size;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #mismatch(): DualhomeError {
    const { name, bytes, sha256 } = this.#file;
    return new DualhomeError('FTP_CONTENT_MISMATCH', { facts: { name, bytes, sha256 } });
  }
}
