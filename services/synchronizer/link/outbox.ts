import type { Writable } from 'node:stream';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { frameBytesMax } from '../../protocol/link/limits.ts';

/** What goes first: heartbeats and answers, then registrations, then configuration. */
export const Priority = { control: 0, registration: 1, configuration: 2 } as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

type Entry = {
  readonly parts: readonly Buffer[];
  readonly sent: () => void;
  readonly failed: (error: unknown) => void;
};

/**
 * The frames that wait for a connection to take them.
 *
 * Invariant: a frame is written whole before the next begins, and none is written while the socket
 * still holds what it could not pass on: so a frame of higher priority waits for one frame at most,
 * and a peer that does not read costs no more memory than `bytesMax` and that frame.
 */
export class Outbox {
  readonly #socket: Writable;
  readonly #bytesMax: number;
  readonly #queues: readonly Entry[][] = [[], [], []];
  #bytes = 0;
  #closed: DualhomeError | undefined;

  constructor(socket: Writable, bytesMax = 2 * frameBytesMax) {
    this.#socket = socket;
    this.#bytesMax = bytesMax;
    socket.on('drain', () => this.#flush());
  }

  /**
   * Resolves when the socket has taken the frame (`parts` one after the other).
   *
   * @throws the error it was closed with; LINK_SILENT where the peer leaves too much unread
   */
  async send(parts: readonly Buffer[], priority: Priority): Promise<void> {
    if (this.#closed) throw this.#closed;
    if (this.#bytes > this.#bytesMax) {
      throw new DualhomeError('LINK_SILENT', { detail: `the peer does not read: ${this.#bytes} bytes wait` });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queues[priority]?.push({ parts, sent: resolve, failed: reject });
    this.#bytes += sizeOf(parts);
    this.#flush();
    await promise;
  }

  /** Fails what waits, and everything sent from now on, with `error`. */
  close(error: DualhomeError): void {
    this.#closed ??= error;
    for (const queue of this.#queues) for (const entry of queue.splice(0)) entry.failed(this.#closed);
    this.#bytes = 0;
  }

  #flush(): void {
    while (!this.#closed && !this.#socket.writableNeedDrain) {
      const entry = this.#next();
      if (!entry) return;
      this.#bytes -= sizeOf(entry.parts);
      this.#socket.cork();
      for (const part of entry.parts) this.#socket.write(part);
      this.#socket.uncork();
      entry.sent();
    }
  }

  #next(): Entry | undefined {
    return this.#queues.find((queue) => queue.length > 0)?.shift();
  }
}

const sizeOf = (parts: readonly Buffer[]): number => parts.reduce((sum, { length }) => sum + length, 0);
