/** What can be in one list at a time, with its neighbours there. */
export abstract class Linked<T extends Linked<T>> {
  list: LinkedList<T> | undefined = undefined;
  before: T | undefined = undefined;
  after: T | undefined = undefined;
}

/**
 * Items in the order in which they were added. Adding one, taking any out and finding the first cost the same however
 * many there are and were: a Set steps over all that were deleted from its beginning. Nothing else of it lives longer than
 * its items (see `InFlight`).
 *
 * Invariant: `item.list` is the list that an item is in.
 */
export class LinkedList<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  /** Adds an item that is in no list. */
  push(item: T): void {
    item.list = this;
    item.before = this.#last;
    if (this.#last) this.#last.after = item;
    else this.#first = item;
    this.#last = item;
    this.#size += 1;
  }

  /** Takes out an item of this list. */
  remove(item: T): void {
    const { before, after } = item;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    item.list = item.before = item.after = undefined;
    this.#size -= 1;
  }

  /** Each that is given may be taken out at once. */
  *[Symbol.iterator](): Generator<T> {
    let next = this.#first;
    while (next) {
      const item = next;
      next = item.after;
      yield item;
    }
  }
}
