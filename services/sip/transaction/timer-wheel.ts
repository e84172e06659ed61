/**
 * Many timers of which few ever matter: setting, clearing and firing cost the same however many there are. Time is
 * passed in; its owner calls `advance` about every `tickMs` while `size` is not 0. A timer is up to one tick late.
 *
 * Invariant: no slot before `#first` holds anything.
 */
export class TimerWheel<T> {
  readonly #tickMs: number;
  readonly #slots = new Map<number, Set<T>>();
  readonly #slotOf = new Map<T, number>();
  #first = Infinity;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  get size(): number {
    return this.#slotOf.size;
  }

  /** Lets `item` fall due at `dueMs`; one that was set already is moved. */
  set(item: T, dueMs: number): void {
    this.clear(item);
    const slot = Math.ceil(dueMs / this.#tickMs);
    const items = this.#slots.get(slot);
    if (items) items.add(item);
    else this.#slots.set(slot, new Set([item]));
    this.#slotOf.set(item, slot);
    this.#first = Math.min(this.#first, slot);
  }

  clear(item: T): void {
    const slot = this.#slotOf.get(item);
    if (slot === undefined) return;
    this.#slotOf.delete(item);
    const items = this.#slots.get(slot);
    items?.delete(item);
    if (items?.size === 0) this.#slots.delete(slot);
    if (this.#slots.size === 0) this.#first = Infinity;
  }

  /** Takes out what is due at `nowMs`, earlier ticks first. */
  advance(nowMs: number): T[] {
    const due: T[] = [];
    const last = Math.floor(nowMs / this.#tickMs);
    for (; this.#first <= last && this.#slots.size > 0; this.#first++) {
      const items = this.#slots.get(this.#first);
      if (!items) continue;
      this.#slots.delete(this.#first);
      for (const item of items) {
        this.#slotOf.delete(item);
        due.push(item);
      }
    }
    if (this.#slots.size === 0) this.#first = Infinity;
    return due;
  }
}
