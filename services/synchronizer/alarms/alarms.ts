import type { ErrorCode } from '../../protocol/errors/index.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { Database } from '../../platform/postgres/database.ts';
import { databaseTrouble } from '../database-trouble.ts';
import type { Alarms } from '../ports.ts';
import { closeAlarm, isSettled, openAlarm } from '../store/alarms.ts';

type Facts = Readonly<Record<string, unknown>>;

type Change = { readonly make: () => Promise<void>; readonly tried: () => void };

const by = 'synchronizer';

/**
 * Alarms in the shared database. While that does not answer, the newest change of each alarm waits
 * and is made later, so that nobody who raises one has to.
 */
export class SharedAlarms implements Alarms, AsyncDisposable {
  readonly #shared: Database;
  readonly #log: Logger;
  readonly #running = new RunningState();
  readonly #changes = new Map<string, Change>();
  #making: Promise<void> | undefined;

  constructor(shared: Database, log: Logger) {
    this.#shared = shared;
    this.#log = log;
  }

  async raise(code: ErrorCode, subject: string, detail: string, facts: Facts = {}): Promise<void> {
    await this.#change(code, subject, () => this.#open(code, subject, detail, facts));
  }

  /** Raises it unless somebody else has closed one of the same facts: he has decided. */
  async raiseUnlessSettled(code: ErrorCode, subject: string, detail: string, facts: Facts): Promise<void> {
    await this.#change(code, subject, async () => {
      if (!(await isSettled(this.#shared, { code, subject, facts }, by))) {
        await this.#open(code, subject, detail, facts);
      }
    });
  }

  /** Clears one that was raised here, if its facts include `facts`. */
  async clear(code: ErrorCode, subject: string, facts: Facts = {}): Promise<void> {
    await this.#change(code, subject, async () => {
      const cleared = await closeAlarm(
        this.#shared,
        { code, subject, facts: { ...facts, raisedBy: by } },
        by,
      );
      if (cleared) this.#log.info({ code, subject }, 'alarm cleared');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.stop();
    await this.#making;
  }

  async #open(code: ErrorCode, subject: string, detail: string, facts: Facts): Promise<void> {
    const opened = await openAlarm(this.#shared, {
      code,
      subject,
      detail,
      facts: { ...facts, raisedBy: by },
    });
    if (opened) this.#log.error({ code, subject, detail, facts }, 'alarm');
  }

  /** Resolves when the change was made, replaced by a newer one, or has to wait for the database. */
  async #change(code: ErrorCode, subject: string, make: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const key = `${code} ${subject}`;
    this.#changes.get(key)?.tried();
    this.#changes.set(key, { make, tried: resolve });
    this.#making ??= this.#makeAll().finally(() => (this.#making = undefined));
    if (this.#running.failures === 0) await promise;
  }

  async #makeAll(): Promise<void> {
    for (let [next] = this.#changes; next && this.#running.running; [next] = this.#changes) {
      const [key, change] = next;
      try {
        await change.make();
        this.#running.succeeded();
        if (this.#changes.get(key) === change) this.#changes.delete(key);
        change.tried();
      } catch (error) {
        if (!databaseTrouble(error)) throw error;
        if (this.#running.failures === 0)
          this.#log.warn({ err: error }, 'alarms wait for the shared database');
        for (const { tried } of this.#changes.values()) tried();
        await this.#running.backoff();
      }
    }
  }
}
