import { messageOf } from '../../protocol/errors/index.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import { delay, isAbortOf } from '../../platform/lifecycle/abort.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { listen } from '../../platform/postgres/listen.ts';
import type { Database } from '../../platform/postgres/database.ts';
import type { Position } from '../../protocol/position.ts';
import { readHomeState } from '../store/home-log.ts';
import type { HomeState } from '../store/home-log.ts';

export type HomeLogOptions = {
  readonly home: Database;
  readonly url: string;
  readonly log: Logger;
  /** The log is not a continuation of what it was: its database was put back while this program ran. */
  readonly onRewound: (was: Position, is: Position) => void;
};

const channel = 'dualhome_log';
const pollMs = 1_000;

/**
 * Watches the head of this site's log. Notifications come with each commit and are only hints;
 * the poll is what is relied on.
 */
export class HomeLog implements AsyncDisposable {
  readonly #options: HomeLogOptions;
  readonly #running = new RunningState();
  readonly #listening: AsyncDisposable;
  readonly #polling: Promise<void>;
  #state: HomeState | undefined;
  #seen: Position | undefined;
  #changed = Promise.withResolvers<void>();
  #failing = false;

  constructor(options: HomeLogOptions) {
    this.#options = options;
    this.#listening = listen({
      url: options.url,
      applicationName: 'dualhome synchronizer',
      channels: [channel],
      onNotify: () => this.#wake(),
      onListening: () => this.#wake(),
    });
    this.#polling = this.#poll();
  }

  /** As of the last poll; undefined while the database does not answer. */
  get state(): HomeState | undefined {
    return this.#state;
  }

  /** Take it before you read; it resolves when there may be more than you read. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.stop();
    this.#wake();
    await this.#listening[Symbol.asyncDispose]();
    await this.#polling;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  async #poll(): Promise<void> {
    const { signal } = this.#running;
    while (this.#running.running) {
      await this.#look();
      await delay(pollMs, signal).catch((error: unknown) => {
        if (!isAbortOf(signal, error)) throw error;
      });
    }
  }

  async #look(): Promise<void> {
    const { home, log } = this.#options;
    try {
      const state = await readHomeState(home, this.#seen?.seq ?? 0);
      if (this.#failing) log.info('the home database answers again');
      this.#failing = false;
      this.#see(state);
    } catch (error) {
      if (!this.#failing) log.warn({ reason: messageOf(error) }, 'the home database does not answer');
      this.#failing = true;
      this.#state = undefined;
    }
  }

  #see(state: HomeState): void {
    const was = this.#seen;
    this.#state = state;
    this.#seen = state.head;
    if (was && !isContinuation(was, state)) this.#options.onRewound(was, state.head);
    if (was?.seq !== state.head.seq) this.#wake();
  }
}

/** Whether the log still holds what was its head. A log that no longer holds that event cannot tell. */
function isContinuation(was: Position, { head, hashAtSeen, firstSeq }: HomeState): boolean {
  if (head.seq < was.seq) return false;
  if (head.seq === was.seq) return head.hash.equals(was.hash);
  return hashAtSeen?.equals(was.hash) ?? (was.seq === 0 || (firstSeq !== null && firstSeq > was.seq));
}
