import { messageOf } from '../../protocol/errors/index.ts';
import { dispatchVersion } from '../../protocol/dispatch/messages.ts';
import type { Decision, Facts, ProcessorState } from '../../protocol/dispatch/messages.ts';
import { listenOnSocket } from '../../platform/ipc/line-server.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { Front } from './front.ts';

export type DispatchServerOptions = {
  readonly path: string;
  readonly owner: string;
  readonly role: 'home' | 'standby';
  readonly answer: (facts: Facts) => Promise<Decision>;
  readonly state: () => ProcessorState;
  readonly log: Logger;
};

/**
 * Where fronts ask. More than one may be there, while one takes over from another.
 *
 * Invariant: a front hears who this is first, how it is second, and of every change before an answer that rests on it.
 */
export class DispatchServer implements AsyncDisposable {
  readonly #options: DispatchServerOptions;
  readonly #fronts = new Set<Front>();
  #listening: AsyncDisposable | undefined;
  #said = '';

  private constructor(options: DispatchServerOptions) {
    this.#options = options;
    this.#said = JSON.stringify(options.state());
  }

  /** @throws IPC_SOCKET_IN_USE, IPC_SOCKET_UNUSABLE */
  static async open(options: DispatchServerOptions): Promise<DispatchServer> {
    const server = new DispatchServer(options);
    server.#listening = await listenOnSocket(options.path, (socket) => {
      const front: Front = new Front(socket, {
        answer: options.answer,
        onClosed: (error) => server.#gone(front, error),
      });
      server.#welcome(front);
    });
    return server;
  }

  /** Fronts connected now. */
  get fronts(): number {
    return this.#fronts.size;
  }

  /** Tells the fronts how it is, if that is another way than they were told. */
  announce(): void {
    const state = this.#options.state();
    const text = JSON.stringify(state);
    if (text === this.#said) return;
    this.#said = text;
    for (const front of this.#fronts) front.say(state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#listening?.[Symbol.asyncDispose]();
    const fronts = [...this.#fronts];
    for (const front of fronts) front.end();
    await Promise.all(fronts.map((front) => front[Symbol.asyncDispose]()));
    await closed;
  }

  #welcome(front: Front): void {
    const { owner, role, state } = this.#options;
    this.#fronts.add(front);
    front.say({ kind: 'hello', version: dispatchVersion, owner, role });
    front.say(state());
  }

  #gone(front: Front, error: unknown): void {
    this.#fronts.delete(front);
    if (error !== undefined) this.#options.log.warn({ reason: messageOf(error) }, 'a front was cut off');
  }
}
