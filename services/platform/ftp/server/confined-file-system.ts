import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, realpath, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isFileName } from '../file-name.ts';
import type { FileWriters } from './file-writers.ts';
import { ReplyError } from './reply-error.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;

/** What a login may do: use one directory, for reading or also for writing. */
export type Authorization = { readonly root: string; readonly write: boolean };

/** Where a writer begins: at a byte of its choice (what lies behind is cut off), or at the end. */
export type WriteStart = { readonly atByte: number } | 'end';

/** A file open for writing from `startByte` on; disposing closes it and lets others write. */
export type FileForWriting = AsyncDisposable & { readonly handle: FileHandle; readonly startByte: number };

/**
 * The one directory a session may use.
 *
 * Invariants: whatever is read, written or renamed is a regular file directly in `root`; no link is followed, in
 * the name or in the root; of all sessions together one at most writes a file, and whoever asks about a file or
 * writes it ends another session's writing first, because only a client that lost that session asks again.
 */
export class ConfinedFileSystem {
  readonly #root: string;
  readonly #write: boolean;
  readonly #writers: FileWriters;

  private constructor({ root, write }: Authorization, writers: FileWriters) {
    this.#root = root;
    this.#write = write;
    this.#writers = writers;
  }

  static async open({ root, write }: Authorization, writers: FileWriters): Promise<ConfinedFileSystem> {
    return new ConfinedFileSystem({ root: await realpath(root), write }, writers);
  }

  async size(name: string): Promise<number> {
    const path = await this.#pathOf(name);
    await this.#writers.evict(path);
    return sizeOfRegular(path);
  }

  /** SHA-256 of a whole file, as hexadecimal digits. */
  async sha256(name: string, signal: AbortSignal): Promise<string> {
    const path = await this.#pathOf(name);
    await this.#writers.evict(path);
    await using handle = await openRegular(path, O_RDONLY);
    const hash = createHash('sha256');
    await pipeline(handle.createReadStream({ highWaterMark: 1 << 20 }), hash, { signal });
    return hash.digest('hex');
  }

  /** Replaces `to`. */
  async rename(from: string, to: string): Promise<void> {
    const [fromPath, toPath] = [await this.#pathOf(from), await this.#pathOf(to)];
    this.#demandWrite();
    await this.#writers.evict(fromPath);
    await this.#writers.evict(toPath);
    await sizeOfRegular(fromPath);
    await rename(fromPath, toPath);
  }

  async openForReading(name: string): Promise<FileHandle> {
    return openRegular(await this.#pathOf(name), O_RDONLY);
  }

  /** `abort` is called when another session takes the file over. */
  async openForWriting(name: string, start: WriteStart, abort: () => void): Promise<FileForWriting> {
    const path = await this.#pathOf(name);
    this.#demandWrite();
    await using opening = new AsyncDisposableStack();
    opening.use(await this.#writers.claim(path, abort));
    const handle = opening.use(await openRegular(path, O_WRONLY | O_CREAT));
    const startByte = await beginAt(handle, start);
    const opened = opening.move();
    return { handle, startByte, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  }

  async #pathOf(name: string): Promise<string> {
    if (!isFileName(name)) throw new ReplyError(553, 'File name not allowed');
    if ((await realpath(this.#root)) !== this.#root) throw new ReplyError(550, 'Directory replaced');
    return join(this.#root, name);
  }

  #demandWrite(): void {
    if (!this.#write) throw new ReplyError(550, 'Permission denied');
  }
}

/** Not waiting for the other end of a FIFO, not following a link. */
async function openRegular(path: string, flags: number): Promise<FileHandle> {
  await using opening = new AsyncDisposableStack();
  const handle = opening.use(await open(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600));
  if (!(await handle.stat()).isFile()) throw new ReplyError(550, 'Not a regular file');
  opening.move();
  return handle;
}

async function sizeOfRegular(path: string): Promise<number> {
  const stats = await lstat(path);
  if (!stats.isFile()) throw new ReplyError(550, 'Not a regular file');
  return stats.size;
}

async function beginAt(handle: FileHandle, start: WriteStart): Promise<number> {
  const { size } = await handle.stat();
  if (start === 'end') return size;
  if (start.atByte > size) throw new ReplyError(554, `File has only ${size} bytes`);
  await handle.truncate(start.atByte);
  return start.atByte;
}
