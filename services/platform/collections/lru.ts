import { Linked, LinkedList } from './linked-list.ts';

class Entry<V> extends Linked<Entry<V>> {
  readonly key: string;
  value: V;

  constructor(key: string, value: V) {
    super();
    this.key = key;
    this.value = value;
  }
}

/**
 * Keeps the values used last.
 *
 * Invariant: it never holds more than `max`; the one that was not used for longest goes first.
 */
export class Lru<V> {
  readonly #max: number;
  readonly #entries = new Map<string, Entry<V>>();
  /** Used longest ago first. */
  readonly #order = new LinkedList<Entry<V>>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry) this.#use(entry);
    return entry?.value;
  }

  set(key: string, value: V): void {
    const known = this.#entries.get(key);
    const entry = known ?? new Entry(key, value);
    entry.value = value;
    if (!known) this.#entries.set(key, entry);
    this.#use(entry);
    const oldest = this.#order.first;
    if (oldest && this.#entries.size > this.#max) this.#drop(oldest);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry) this.#drop(entry);
  }

  clear(): void {
    for (const entry of this.#order) this.#drop(entry);
  }

  #use(entry: Entry<V>): void {
    entry.list?.remove(entry);
    this.#order.push(entry);
  }

  #drop(entry: Entry<V>): void {
    this.#entries.delete(entry.key);
    this.#order.remove(entry);
  }
}
