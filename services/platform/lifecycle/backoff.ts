import { delay, isAbortOf } from './abort.ts';
import type { Sleep } from './abort.ts';

/** Exponential growth with jitter: the n-th wait is `initialMs * factor^n`, at most `maxMs`. */
export type BackoffPolicy = {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor: number;
  /** Share of a wait that is drawn at random, 0..1; 0.5 draws from the upper half. */
  readonly jitter: number;
};

export const defaultBackoff: BackoffPolicy = { initialMs: 100, maxMs: 10_000, factor: 2, jitter: 0.5 };

/** The wait after `failures` failures in a row (1 = the first); `random` is in [0, 1). */
export function backoffMs(policy: BackoffPolicy, failures: number, random: number): number {
  const fullMs = Math.min(policy.maxMs, policy.initialMs * policy.factor ** (failures - 1));
  return fullMs * (1 - policy.jitter * random);
}

export type RunningStateOptions = {
  /** Stopping it stops this; the other way round does not hold. */
  readonly parent?: AbortSignal | undefined;
  readonly policy?: BackoffPolicy | undefined;
  readonly sleep?: Sleep | undefined;
  readonly random?: (() => number) | undefined;
};

/**
 * Stopping and backing off as one object, for a loop that works, fails and tries again:
 *
 *     while (state.running) {
 *       try { await work(state.signal); state.succeeded(); } catch (error) { report(error); await state.backoff(); }
 *     }
 *
 * Invariant: once stopped it never runs again and no wait is pending.
 */
export class RunningState {
  readonly signal: AbortSignal;
  readonly #stopping = new AbortController();
  readonly #policy: BackoffPolicy;
  readonly #sleep: Sleep;
  readonly #random: () => number;
  #failures = 0;

  constructor({ parent, policy, sleep, random }: RunningStateOptions = {}) {
    this.signal = parent ? AbortSignal.any([parent, this.#stopping.signal]) : this.#stopping.signal;
    this.#policy = policy ?? defaultBackoff;
    this.#sleep = sleep ?? delay;
    this.#random = random ?? Math.random;
  }

  get running(): boolean {
    return !this.signal.aborted;
  }

  /** Failures in a row; a caller raises its log level, or gives up, as it grows. */
  get failures(): number {
    return this.#failures;
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** The next failure waits the shortest time again. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** Counts a failure and waits; returns at once when stopped. Returns the milliseconds it was to wait. */
  async backoff(): Promise<number> {
    this.#failures += 1;
    const waitMs = backoffMs(this.#policy, this.#failures, this.#random());
    if (!this.running) return 0;
    try {
      await this.#sleep(waitMs, this.signal);
    } catch (error) {
      if (!isAbortOf(this.signal, error)) throw error;
    }
    return waitMs;
  }
}
