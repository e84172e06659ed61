import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { LineConnection } from '../../services/platform/ipc/line-connection.ts';
import { lineBytesMax, processorMessageSchema } from '../../services/protocol/dispatch/messages.ts';
import type { Decision, Facts, ProcessorMessage } from '../../services/protocol/dispatch/messages.ts';

type State = Extract<ProcessorMessage, { kind: 'state' }>;

/** Asks a processor what a front would, with everything it says checked and remembered. */
export class FrontClient implements AsyncDisposable {
  readonly said: ProcessorMessage[] = [];
  /** Settles when the connection has ended. */
  readonly closed: Promise<unknown>;
  readonly #connection: LineConnection;
  readonly #open = new Map<number, PromiseWithResolvers<Decision>>();
  readonly #waiters = new Set<() => void>();
  #asked = 0;

  private constructor(socket: Socket) {
    const closed = Promise.withResolvers<unknown>();
    this.closed = closed.promise;
    this.#connection = new LineConnection(socket, {
      lineBytesMax,
      onMessage: (message) => this.#hear(processorMessageSchema.parse(message)),
      onClosed: (error) => {
        for (const { reject } of this.#open.values()) reject(new Error('the processor is gone'));
        closed.resolve(error);
      },
    });
  }

  static async connect(path: string): Promise<FrontClient> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new FrontClient(socket);
  }

  /** How it is, as it said last. */
  get state(): State | undefined {
    return this.said.findLast((message) => message.kind === 'state');
  }

  ask(facts: Facts): Promise<Decision> {
    const id = (this.#asked += 1);
    const asked = Promise.withResolvers<Decision>();
    this.#open.set(id, asked);
    this.#connection.send({ id, facts });
    return asked.promise;
  }

  /** Waits until the processor has said that it is so. */
  async waitState(isSo: (state: State) => boolean): Promise<State> {
    for (;;) {
      if (this.state && isSo(this.state)) return this.state;
      const heard = new Promise<void>((resolve) => this.#waiters.add(resolve));
      await Promise.race([
        heard,
        this.closed.then((error) => Promise.reject(new Error(`closed: ${String(error)}`))),
      ]);
    }
  }

  /** Sends what no front would. */
  sendRaw(message: unknown): void {
    this.#connection.send(message);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  #hear(message: ProcessorMessage): void {
    this.said.push(message);
    if (message.kind === 'answer') {
      this.#open.get(message.id)?.resolve(message.decision);
      this.#open.delete(message.id);
    }
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}
