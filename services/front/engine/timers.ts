import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Linked } from '../../platform/collections/linked-list.ts';
import { TimerWheel } from '../../sip/transaction/timer-wheel.ts';

const tickMs = 10;

/** A timer wheel that the real clock drives while something is set. */
export class Timers<T extends Linked<T>> implements Disposable {
  readonly #wheel = new TimerWheel<T>(tickMs);
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  #tick: NodeJS.Timeout | undefined;

  constructor(clock: Clock, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#wheel.size;
  }

  /** Lets `item` fall due in `ms`; one that was set already is moved. */
  set(item: T, ms: number): void {
    this.#wheel.set(item, this.#clock.monotonicMs() + ms);
    this.#tick ??= setTimeout(() => this.#advance(), tickMs);
  }

  clear(item: T): void {
    this.#wheel.clear(item);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#tick);
  }

  #advance(): void {
    this.#tick = undefined;
    for (const item of this.#wheel.advance(this.#clock.monotonicMs())) this.#onDue(item);
    if (this.#wheel.size > 0) this.#tick ??= setTimeout(() => this.#advance(), tickMs);
  }
}
