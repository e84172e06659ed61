import { messageOf } from '../../protocol/errors/index.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import { delay, isAbortOf } from '../../platform/lifecycle/abort.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { listen } from '../../platform/postgres/listen.ts';
import type { Database } from '../../platform/postgres/database.ts';
import { openDatabase } from '../../platform/postgres/database.ts';
import { logChannel } from '../../log/definition.ts';
import type { LogDefinition } from '../../log/definition.ts';
import { KeptSession } from '../../log/kept-session.ts';
import type { OwnLog as OwnLogPort } from '../ports.ts';
import type { Position } from '../../protocol/position.ts';
import { readOwnState } from '../store/own-log.ts';
import type { OwnState } from '../store/own-log.ts';

export type OwnLogOptions = {
  readonly definition: LogDefinition;
  readonly url: string;
  /** Schema of the log, where it is not the default one. */
  readonly schema?: string | undefined;
  readonly log: Logger;
  /** The log is not a continuation of what it was: its database was put back while this program ran. */
  readonly onRewound: (was: Position, is: Position) => void;
};

const applicationName = 'dualhome synchronizer';
const pollMs = 1_000;

/**
 * A log of this site, as it is read to be sent; its head is watched. Notifications come with each commit and are only hints;
 * the poll is what is relied on.
 */
export class OwnLog implements OwnLogPort, AsyncDisposable {
  readonly definition: LogDefinition;
  readonly database: Database;
  /** Reads what is to be sent. */
  readonly reader: KeptSession;
  readonly #options: OwnLogOptions;
  readonly #running = new RunningState();
  readonly #listening: AsyncDisposable;
  readonly #polling: Promise<void>;
  #state: OwnState | undefined;
  #seen: Position | undefined;
  /** Highest seq that a notification or the poll has told of; NaN while none has. */
  #knownSeq = NaN;
  #changed = Promise.withResolvers<void>();
  #failing = false;

  constructor(options: OwnLogOptions) {
    const { definition, url, schema, log } = options;
    this.#options = options;
    this.definition = definition;
    const onError = (error: unknown): void => log.debug({ err: error }, 'a database connection was lost');
    this.database = openDatabase({ url, schema, applicationName, onError });
    this.reader = new KeptSession({ url, schema, applicationName: `${applicationName} reader`, onError });
    this.#listening = listen({
      url,
      applicationName,
      channels: [logChannel[definition.name]],
      onNotify: (_channel, seq) => this.#told(Number(seq)),
      onListening: () => this.#wake(),
    });
    this.#polling = this.#poll();
  }

  /** As of the last poll; undefined while the database does not answer. */
  get state(): OwnState | undefined {
    return this.#state;
  }

  /** Whether there was a sign of events behind `seq`; where not, a read would be in vain. */
  mayExceed(seq: number): boolean {
    return !(this.#knownSeq <= seq);
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
    await this.reader[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
  }

  #told(seq: number): void {
    this.#knownSeq = Math.max(seq, this.#knownSeq || 0);
    this.#wake();
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
    const { log } = this.#options;
    const { name } = this.definition;
    try {
      const state = await readOwnState(this.database, this.#seen?.seq ?? 0);
      if (this.#failing) log.info({ log: name }, 'the database of the log answers again');
      this.#failing = false;
      this.#see(state);
    } catch (error) {
      if (!this.#failing)
        log.warn({ log: name, reason: messageOf(error) }, 'the database of the log does not answer');
      this.#failing = true;
      this.#state = undefined;
    }
  }

  #see(state: OwnState): void {
    const was = this.#seen;
    this.#state = state;
    this.#seen = state.head;
    if (was && !isContinuation(was, state)) this.#options.onRewound(was, state.head);
    if (was?.seq !== state.head.seq) this.#told(state.head.seq);
  }
}

/** Whether the log still holds what was its head. A log that no longer holds that event cannot tell. */
function isContinuation(was: Position, { head, hashAtSeen, firstSeq }: OwnState): boolean {
  if (head.seq < was.seq) return false;
  if (head.seq === was.seq) return head.hash.equals(was.hash);
  return hashAtSeen?.equals(was.hash) ?? (was.seq === 0 || (firstSeq !== null && firstSeq > was.seq));
}
