import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Socket } from 'node:net';
import type { WriteStart } from './confined-file-system.ts';
import type { DataChannel } from './data-channel.ts';
import { orAborted } from '../or-aborted.ts';
import { ReplyError, replyErrorOf } from './reply-error.ts';
import type { FtpServerSession } from './session.ts';

/** Bytes of a file read or written at once. */
const fileChunkBytes = 1 << 20;

/**
 * STOR and APPE. The end of the data connection is all there is to tell a file's end, so the reply 226 says only
 * that nothing failed here: what arrived stays under its name whatever happens, for the client to resume or check.
 */
export async function store(session: FtpServerSession, name: string, start: WriteStart): Promise<void> {
  using transfer = new Transfer(session);
  await using file = await transfer.files.openForWriting(name, start, () =>
    transfer.abort('File taken over'),
  );
  await transfer.run((socket) => {
    transfer.countFrom(file.startByte, socket);
    const target = file.handle.createWriteStream({ start: file.startByte, highWaterMark: fileChunkBytes });
    return [socket, target];
  });
  session.context.counters.filesReceived += 1;
}

/** RETR, from `startByte` on. */
export async function retrieve(session: FtpServerSession, name: string, startByte: number): Promise<void> {
  using transfer = new Transfer(session);
  await using handle = await transfer.files.openForReading(name);
  if (startByte > (await handle.stat()).size) throw new ReplyError(554, 'Beyond the end of the file');
  await transfer.run((socket) => {
    const source = handle.createReadStream({ start: startByte, highWaterMark: fileChunkBytes });
    source.on('data', (chunk) => (session.context.counters.bytesSent += chunk.length));
    return [source, socket];
  });
  session.context.counters.filesSent += 1;
}

/**
 * One use of a data channel: 150, bytes, 226 (RFC 959 5.4), or the reply that says why not.
 *
 * Invariant: it ends when the session ends, when no byte moves for a time, when its file is taken over or gets
 * too large; the data connection is then gone.
 */
class Transfer implements Disposable {
  readonly #session: FtpServerSession;
  readonly #channel: DataChannel;
  readonly #stopping = new AbortController();
  readonly #signal: AbortSignal;

  constructor(session: FtpServerSession) {
    this.#session = session;
    this.#signal = AbortSignal.any([session.signal, this.#stopping.signal]);
    this.#channel = session.takeDataChannel();
  }

  get files() {
    const { files } = this.#session;
    if (!files) throw new ReplyError(530, 'Log in first');
    return files;
  }

  abort(why: string, code = 426): void {
    this.#stopping.abort(new ReplyError(code, why));
  }

  /** Counts what `socket` receives, and stops at the largest file allowed. */
  countFrom(startByte: number, socket: Socket): void {
    const { limits, counters } = this.#session.context;
    let size = startByte;
    socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
      counters.bytesReceived += chunk.length;
      if (size > limits.fileBytesMax) this.abort('File too large', 552);
    });
  }

  async run(streams: (socket: Socket) => [Readable, Writable]): Promise<void> {
    const session = this.#session;
    await session.whileBusy(() => orAborted(this.#channel.connected, this.#signal));
    await session.reply(150, 'Opening data connection');
    try {
      await session.whileBusy(() => this.#move(streams));
    } catch (error) {
      session.context.counters.transfersFailed += 1;
      throw this.#reasonOf(error);
    }
    this.#channel.finish();
    await session.reply(226, 'Data connection closed');
  }

  [Symbol.dispose](): void {
    this.#channel[Symbol.dispose]();
  }

  async #move(streams: (socket: Socket) => [Readable, Writable]): Promise<void> {
    const socket = await orAborted(this.#channel.secured, this.#signal);
    const { dataIdleTimeoutMs } = this.#session.context.limits;
    socket.setTimeout(dataIdleTimeoutMs, () => this.abort('Data connection idle'));
    await pipeline(...streams(socket), { signal: this.#signal, end: true });
  }

  /** A stop has its own reason; else the data connection broke, or the file system failed. */
  #reasonOf(error: unknown): ReplyError {
    const stopped: unknown = this.#stopping.signal.reason;
    if (stopped instanceof ReplyError) return stopped;
    const reply = replyErrorOf(error);
    return reply.code === 451 && isOfConnection(error)
      ? new ReplyError(426, 'Data connection broke', error)
      : reply;
  }
}

const connectionErrors = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);

function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return connectionErrors.has(String(error.code)) || String(error.code).startsWith('ERR_SSL');
}
