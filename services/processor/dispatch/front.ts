import type { Socket } from 'node:net';
import { z } from 'zod';
import { LineConnection } from '../../platform/ipc/line-connection.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { lineBytesMax, questionSchema } from '../../protocol/dispatch/messages.ts';
import type { Decision, Facts, ProcessorMessage } from '../../protocol/dispatch/messages.ts';

export type FrontOptions = {
  readonly answer: (facts: Facts) => Promise<Decision>;
  readonly onClosed: (error: unknown) => void;
};

const openMax = 5_000;
const backlogBytesMax = 4_194_304;

/**
 * The connection of one front.
 *
 * Invariant: each question is answered once. No more than `openMax` are open, no more than the backlog is unsent:
 * further ones stay unread until then.
 */
export class Front implements AsyncDisposable {
  readonly #connection: LineConnection;
  readonly #options: FrontOptions;
  #open = 0;

  constructor(socket: Socket, options: FrontOptions) {
    this.#options = options;
    this.#connection = new LineConnection(socket, {
      lineBytesMax,
      onMessage: (message) => this.#ask(message),
      onDrain: () => this.#mayRead(),
      onClosed: options.onClosed,
    });
  }

  say(message: ProcessorMessage): void {
    this.#connection.send(message);
  }

  /** Answers that are ready are sent; then the connection closes. */
  end(): void {
    this.#connection.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  #ask(message: unknown): void {
    const { success, data, error } = questionSchema.safeParse(message);
    if (!success) {
      throw new DualhomeError('IPC_MESSAGE_INVALID', { detail: z.prettifyError(error), cause: error });
    }
    const { id, facts } = data;
    this.#open += 1;
    this.#mayRead();
    void this.#options.answer(facts).then((decision) => {
      this.#open -= 1;
      this.say({ kind: 'answer', id, decision });
      this.#mayRead();
    });
  }

  #mayRead(): void {
    if (this.#open < openMax && this.#connection.backlogBytes < backlogBytesMax) this.#connection.resume();
    else this.#connection.pause();
  }
}
