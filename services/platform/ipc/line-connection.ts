import type { Socket } from 'node:net';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import { LineSplitter } from '../stream/line-splitter.ts';
import type { Line } from '../stream/line-splitter.ts';

export type LineConnectionOptions = {
  /** Of one line; a longer one cuts the connection. */
  readonly lineBytesMax: number;
  /** One JSON value; what it throws cuts the connection. */
  readonly onMessage: (message: unknown) => void;
  /** Once, when the connection has ended; with why, where the other side did not just close it. */
  readonly onClosed: (error: unknown) => void;
  /** What was sent is with the operating system, after there was a backlog. */
  readonly onDrain?: (() => void) | undefined;
};

/**
 * JSON values over a stream socket, one a line, both ways. What is sent within one turn of the event loop is written
 * at once.
 *
 * Invariant: values arrive whole and in order, or the connection ends; nothing is called back after `onClosed`.
 */
export class LineConnection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #options: LineConnectionOptions;
  readonly #splitter: LineSplitter;
  readonly #closed = Promise.withResolvers<void>();
  #unsent = '';
  #failure: unknown;

  constructor(socket: Socket, options: LineConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const { lineBytesMax } = options;
    this.#splitter = new LineSplitter({
      bytesMax: lineBytesMax,
      passedOverMax: lineBytesMax,
      giveUpWith: 'IPC_MESSAGE_INVALID',
    });
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('drain', () => options.onDrain?.());
    socket.on('error', (error) => this.#cut(error));
    socket.on('close', () => {
      options.onClosed(this.#failure);
      this.#closed.resolve();
    });
  }

  /** Bytes that are not yet with the operating system: they grow when the other side does not read. */
  get backlogBytes(): number {
    return this.#socket.writableLength + this.#unsent.length;
  }

  send(message: unknown): void {
    if (this.#socket.destroyed) return;
    if (this.#unsent === '') setImmediate(() => this.#flush());
    this.#unsent += `${JSON.stringify(message)}\n`;
  }

  /** Reads nothing further until `resume`; what has been read already is still delivered. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends what is to be sent, then closes. */
  end(): void {
    this.#flush();
    this.#socket.end();
  }

  /** Cuts it off. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#closed.promise;
  }

  #flush(): void {
    const lines = this.#unsent;
    this.#unsent = '';
    if (lines !== '' && this.#socket.writable) this.#socket.write(lines);
  }

  #take(chunk: Buffer): void {
    try {
      for (const line of this.#splitter.push(chunk)) {
        if (this.#socket.destroyed) return;
        this.#options.onMessage(parse(line));
      }
    } catch (error) {
      this.#cut(error);
    }
  }

  #cut(error: unknown): void {
    this.#failure ??= error;
    this.#socket.destroy();
  }
}

/** @throws IPC_MESSAGE_INVALID */
function parse(line: Line): unknown {
  if ('fault' in line) throw invalid(line.number, line.fault);
  try {
    return JSON.parse(line.text);
  } catch (cause) {
    throw invalid(line.number, messageOf(cause), cause);
  }
}

function invalid(number: number, fault: string, cause?: unknown): DualhomeError {
  return new DualhomeError('IPC_MESSAGE_INVALID', { detail: `line ${number}: ${fault}`, cause });
}
