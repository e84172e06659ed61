import { Linked, LinkedList } from '../../platform/collections/linked-list.ts';

/** A timer that is nothing but what it calls; the same object sets, clears and fires it. */
export class Wakeup extends Linked<Wakeup> {
  readonly wake: () => void;

  constructor(wake: () => void) {
    super();
    this.wake = wake;
  }
}

/**
 * Many timers of which few ever matter: setting, clearing and firing cost the same however many there are. Time is
 * passed in; its owner calls `advance` about every `tickMs` while `size` is not 0. A timer is up to one tick late, and
 * in one wheel at a time.
 *
 * Invariant: no slot before `#first` is in `#slots`.
 */
export class TimerWheel<T extends Linked<T>> {
  readonly #tickMs: number;
  readonly #slots = new Map<number, LinkedList<T>>();
  #first = Infinity;
  #size = 0;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  get size(): number {
    return this.#size;
  }

  /** Lets a timer fall due at `dueMs`; one that was set already is moved. */
  set(timer: T, dueMs: number): void {
    this.clear(timer);
    const slot = Math.ceil(dueMs / this.#tickMs);
    let timers = this.#slots.get(slot);
    if (!timers) this.#slots.set(slot, (timers = new LinkedList()));
    timers.push(timer);
    this.#size += 1;
    this.#first = Math.min(this.#first, slot);
  }

  clear(timer: T): void {
    if (!timer.list) return;
    timer.list.remove(timer);
    this.#shrink();
  }

  /** Takes out what is due at `nowMs`, earlier ticks first. */
  advance(nowMs: number): T[] {
    const due: T[] = [];
    const last = Math.floor(nowMs / this.#tickMs);
    for (; this.#first <= last && this.#size > 0; this.#first++) {
      const timers = this.#slots.get(this.#first);
      if (!timers) continue;
      this.#slots.delete(this.#first);
      for (let timer = timers.first; timer; timer = timers.first) {
        timers.remove(timer);
        due.push(timer);
        this.#shrink();
      }
    }
    return due;
  }

  #shrink(): void {
    this.#size -= 1;
    if (this.#size > 0) return;
    this.#slots.clear();
    this.#first = Infinity;
  }
}
