import { messageOf } from '../../protocol/errors/index.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { Distribution } from '../distribution/distribution.ts';
import type { RegistrationLog } from '../distribution/registration-log.ts';
import { tombstoneOf } from './bindings.ts';
import type { KeyedQueue } from './keyed-queue.ts';

export type ExpiryOptions = {
  readonly site: string;
  readonly distribution: Distribution;
  readonly registrations: Pick<RegistrationLog, 'canRecord' | 'record'>;
  readonly queue: KeyedQueue;
  readonly clock: Clock;
  readonly log: Logger;
};

const sweepMs = 1_000;
/** Of one sweep; the rest waits for the next. */
const expiredMax = 5_000;

/**
 * Ends bindings of this site that nobody refreshes, and those whose connection is lost.
 *
 * Invariant: only what this site accepted is ended, each end is an event, and one that was refreshed meanwhile stays.
 */
export class Expiry implements Disposable {
  readonly #options: ExpiryOptions;
  readonly #timer: NodeJS.Timeout;
  #isSweeping = false;

  constructor(options: ExpiryOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      if (this.#isSweeping) return;
      this.#isSweeping = true;
      void this.sweep().finally(() => {
        this.#isSweeping = false;
      });
    }, sweepMs);
  }

  /** Ends what has expired by now, and resolves when that is recorded. */
  async sweep(): Promise<void> {
    const { distribution, registrations } = this.#options;
    if (!registrations.canRecord) return;
    const due = distribution.expired(this.#nowS(), expiredMax);
    await Promise.all(due.map(({ aor, key }) => this.#end(aor, key, 'expired')));
  }

  /** The connections that carried these bindings are gone. */
  async lost(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.#end(key.slice(0, key.indexOf(' ')), key, 'connection lost')));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #end(aor: string, key: string, reason: 'expired' | 'connection lost'): Promise<void> {
    const { site, distribution, registrations, queue, log } = this.#options;
    await queue.run(aor, async () => {
      const nowS = this.#nowS();
      const held = distribution.heldOf(aor).find(({ row }) => row.key === key);
      if (!held || (reason === 'expired' && held.promisedS > nowS)) return;
      const { row } = held;
      const after = tombstoneOf(row, distribution.rivalsOf(row), nowS);
      const actor = { name: site, role: 'program' } as const;
      await registrations.record([{ key, before: row, after }], actor, reason).catch((error: unknown) => {
        log.debug({ reason: messageOf(error), aor }, 'the end of a binding was not recorded');
      });
    });
  }

  #nowS(): number {
    return Math.floor(this.#options.clock.nowMs() / 1000);
  }
}
