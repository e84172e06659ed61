import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DualhomeError } from '../../../protocol/errors/index.ts';
import { failpoint } from '../../lifecycle/failpoint.ts';
import type { FtpSession } from './ftp-session.ts';

/** What is to be uploaded: content known beforehand, readable again from any byte. */
export type UploadFile = {
  /** Final name at the server; until it is verified, the file is called `<name>.part` there. */
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal digits. */
  readonly sha256: string;
  readonly open: (startByte: number) => Readable;
};

export type FileTransferOptions = {
  readonly signal: AbortSignal;
  /** Told now and then how many bytes of the file are there, or about to be. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
};

/** For `UploadFile.open`: a local file. */
export function openLocalFile(path: string): (startByte: number) => Readable {
  return (startByte) => createReadStream(path, { start: startByte, highWaterMark: 1 << 20 });
}

/**
 * One upload over as many attempts as it takes.
 *
 * Invariant: the final name is given only to a partial file with the right size and, where the server can tell, the
 * right SHA-256. A partial file is continued only if the server can tell that it is a prefix of ours, or if this
 * very object began it and sent at least as many bytes.
 */
export class Upload {
  readonly #file: UploadFile;
  readonly #options: FileTransferOptions;
  readonly #part: string;
  /** How many bytes of the partial file came from this object. */
  #sentBytes = 0;
  #distrusted = false;
  #reachedBytes = 0;

  constructor(file: UploadFile, options: FileTransferOptions) {
    this.#file = file;
    this.#options = options;
    this.#part = `${file.name}.part`;
  }

  /** The most bytes any attempt found at the server: grows while attempts are worth it. */
  get reachedBytes(): number {
    return this.#reachedBytes;
  }

  /**
   * One attempt: find what the server has, send the rest, verify, rename.
   *
   * @throws FTP_TRANSFER_INCOMPLETE when another attempt is needed, FTP_CONTENT_MISMATCH when none will help,
   *   and what the session throws
   */
  async attempt(session: FtpSession): Promise<void> {
    if (await this.#isFinished(session)) return;
    const startByte = await this.#startByte(session);
    await this.#send(session, startByte);
    await this.#verify(session, startByte);
    failpoint('ftp.upload.before-rename');
    await session.rename(this.#part, this.#file.name, this.#options.signal);
    this.#report(this.#file.bytes);
  }

  /** The answer to an earlier RNTO may have been lost. */
  async #isFinished(session: FtpSession): Promise<boolean> {
    const { name, bytes, sha256 } = this.#file;
    const { signal } = this.#options;
    if (!session.hashes || (await session.size(name, signal)) !== bytes) return false;
    return (await session.sha256(name, signal)) === sha256;
  }

  async #startByte(session: FtpSession): Promise<number> {
    const { signal } = this.#options;
    const size = (await session.size(this.#part, signal)) ?? 0;
    if (size === 0 || size > this.#file.bytes || this.#distrusted) return 0;
    const isPrefix = session.hashes
      ? (await session.sha256(this.#part, signal)) === (await this.#prefixSha256(size))
      : size <= this.#sentBytes;
    if (isPrefix) this.#reachedBytes = Math.max(this.#reachedBytes, size);
    return isPrefix ? size : 0;
  }

  async #prefixSha256(bytes: number): Promise<string> {
    const hash = createHash('sha256');
    if (bytes === this.#file.bytes) return this.#file.sha256;
    await pipeline(this.#file.open(0), firstBytes(bytes), hash, { signal: this.#options.signal });
    return hash.digest('hex');
  }

  async #send(session: FtpSession, startByte: number): Promise<void> {
    const { bytes, open } = this.#file;
    if (startByte === bytes && bytes > 0) return;
    if (startByte === 0) {
      this.#sentBytes = 0;
      this.#distrusted = false;
    }
    const onBytes = (moved: number) => {
      this.#sentBytes = Math.min(bytes, Math.max(this.#sentBytes, startByte + moved));
      this.#report(this.#sentBytes);
    };
    const mode = startByte === 0 ? 'new' : 'append';
    await session.store(this.#part, open(startByte), mode, { signal: this.#options.signal, onBytes });
  }

  /** A file that was sent whole in one go, and is wrong, was wrong here. */
  async #verify(session: FtpSession, startByte: number): Promise<void> {
    const { name, bytes, sha256 } = this.#file;
    const { signal } = this.#options;
    const size = await session.size(this.#part, signal);
    if (size !== bytes) {
      this.#distrusted = size !== undefined && size > bytes;
      throw new DualhomeError('FTP_TRANSFER_INCOMPLETE', { facts: { name, bytes, size } });
    }
    if (!session.hashes || (await session.sha256(this.#part, signal)) === sha256) return;
    if (startByte === 0) throw new DualhomeError('FTP_CONTENT_MISMATCH', { facts: { name, sha256 } });
    this.#distrusted = true;
    throw new DualhomeError('FTP_TRANSFER_INCOMPLETE', { facts: { name, startByte } });
  }

  #report(bytes: number): void {
    this.#options.onProgress?.(bytes);
  }
}

function firstBytes(bytes: number) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let left = bytes;
    for await (const chunk of source) {
      yield chunk.subarray(0, left);
      left -= chunk.length;
      if (left <= 0) return;
    }
  };
}
