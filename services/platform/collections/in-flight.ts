/**
 * Items under consecutive numbers, on their way from being added to being taken out, in about that order.
 *
 * A Map does the same but is no place to pass through: V8 replaces its tables all the time, and once a collection has
 * moved one among the long-lived, each dead table keeps its successor, and what that held, until a full collection.
 *
 * Invariants: an item is found under its number until it is taken; no number is used again. From the oldest item to the
 * newest there are at most `spanMax` numbers.
 */
export class InFlight<T> {
  readonly #slots: (T | undefined)[];
  /** No item has a lower number. */
  #oldest = 1;
  #next = 1;
  #size = 0;

  constructor(spanMax: number) {
    this.#slots = Array.from({ length: spanMax });
  }

  get size(): number {
    return this.#size;
  }

  /** Whether nothing can be added before the oldest item is taken. */
  get isFull(): boolean {
    return this.#next - this.#oldest >= this.#slots.length;
  }

  get oldest(): T | undefined {
    return this.#slots[this.#slotOf(this.#oldest)];
  }

  /** Gives back the item's number. Not to be called when it is full. */
  add(item: T): number {
    if (this.isFull) throw new RangeError('More is in flight than there is room for.');
    const number = this.#next;
    this.#next += 1;
    this.#slots[this.#slotOf(number)] = item;
    this.#size += 1;
    return number;
  }

  /** The item, which is then no longer here; undefined where none has the number. */
  take(number: number): T | undefined {
    if (number < this.#oldest || number >= this.#next) return undefined;
    const slot = this.#slotOf(number);
    const item = this.#slots[slot];
    if (item === undefined) return undefined;
    this.#slots[slot] = undefined;
    this.#size -= 1;
    while (this.#oldest < this.#next && this.oldest === undefined) this.#oldest += 1;
    return item;
  }

  /** Those that are here, oldest first; any may be taken meanwhile. */
  *[Symbol.iterator](): Generator<readonly [number: number, item: T]> {
    for (let number = this.#oldest; number < this.#next; number += 1) {
      const item = this.#slots[this.#slotOf(number)];
      if (item !== undefined) yield [number, item];
    }
  }

  #slotOf(number: number): number {
    return number % this.#slots.length;
  }
}
