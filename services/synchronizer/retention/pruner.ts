import type { RetentionConfig } from '../../protocol/program-config.ts';
import { delay, isAbortOf } from '../../platform/lifecycle/abort.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { Database } from '../../platform/postgres/database.ts';
import { databaseTrouble } from '../database-trouble.ts';
import { lastUntil, readLogSize, removeEvents } from '../store/retention.ts';
import { pruneTo } from './prune-to.ts';
import type { Reservations } from './reservations.ts';

/** A log whose beginning may be removed. */
export type PrunedLog = {
  /** As in `Reservations`. */
  readonly name: string;
  readonly database: Database;
  /** The last event that every peer has durably applied; Infinity where none gets this log from here. */
  readonly applied: () => number;
};

export type PrunerOptions = {
  readonly logs: readonly PrunedLog[];
  readonly retention: RetentionConfig;
  readonly reservations: Reservations;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs?: number | undefined;
};

const everyMsDefault = 5_000;

/** Keeps logs within their limits, from their beginning on; see `pruneTo`. */
export class Pruner implements AsyncDisposable {
  readonly #options: PrunerOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: PrunerOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { everyMs = everyMsDefault } = this.#options;
    try {
      for (;;) {
        await delay(everyMs, signal);
        for (const log of this.#options.logs) await this.#look(log);
      }
    } catch (error) {
      if (!isAbortOf(signal, error)) throw error;
    }
  }

  /** What a database in trouble keeps from being pruned is pruned later. */
  async #look(pruned: PrunedLog): Promise<void> {
    try {
      await this.#prune(pruned);
    } catch (error) {
      if (!databaseTrouble(error)) throw error;
      this.#options.log.debug({ err: error, log: pruned.name }, 'not pruned now');
    }
  }

  async #prune({ name, database, applied }: PrunedLog): Promise<void> {
    const { retention, reservations, clock, log } = this.#options;
    const size = await readLogSize(database);
    if (!size) return;
    const olderThan = async (ageMs: number | null, otherwise: number): Promise<number> =>
      ageMs === null ? otherwise : lastUntil(database, size, new Date(clock.nowMs() - ageMs));
    const facts = {
      ...size,
      aged: await olderThan(retention.ageMaxMs, 0),
      audited: await olderThan(retention.auditMs, size.head),
      applied: applied(),
      unreserved: reservations.freeUpTo(name),
    };
    const to = pruneTo(facts, retention.bytesMax);
    if (to < size.first) return;
    const events = await removeEvents(database, to, this.#stopping.signal);
    log.info({ log: name, to, events, peersLack: to > facts.applied }, 'log pruned');
  }
}
