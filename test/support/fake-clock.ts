import { setImmediate } from 'node:timers/promises';
import type { Sleep } from '../../services/platform/lifecycle/abort.ts';
import type { Clock } from '../../services/platform/lifecycle/clock.ts';

type Sleeper = { readonly atMs: number; readonly wake: () => void };

/** A clock that stands still until the test moves it, and the sleep that goes with it. */
export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #sleepers: Sleeper[] = [];

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** How many sleeps are pending. */
  get sleepers(): number {
    return this.#sleepers.length;
  }

  readonly sleep: Sleep = (ms, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal.aborted) reject(signal.reason);
    else this.#add({ atMs: this.#monotonicMs + ms, wake: resolve }, signal, reject);
    return promise;
  };

  /** Moves the time, waking sleepers in their order and letting each go on before the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    for (let next = this.#nextBefore(untilMs); next; next = this.#nextBefore(untilMs)) {
      this.#moveTo(next.atMs);
      this.#remove(next);
      next.wake();
      await setImmediate();
    }
    this.#moveTo(untilMs);
    await setImmediate();
  }

  /** The wall clock jumps, as by an operator or NTP; durations do not notice. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  #add(sleeper: Sleeper, signal: AbortSignal, reject: (reason: unknown) => void): void {
    this.#sleepers.push(sleeper);
    const onAbort = (): void => {
      this.#remove(sleeper);
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  }

  #remove(sleeper: Sleeper): void {
    this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
  }

  #nextBefore(untilMs: number): Sleeper | undefined {
    return this.#sleepers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}
