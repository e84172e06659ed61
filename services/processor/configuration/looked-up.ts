import { Lru } from '../../platform/collections/lru.ts';
import { Batches } from './batches.ts';

/** Values of one look-up and the seq of the log they are as of. */
export type Read<T> = { readonly asOf: number; readonly found: ReadonlyMap<string, T> };

export type LookedUpOptions<T> = {
  readonly read: (keys: readonly string[]) => Promise<Read<T>>;
  readonly keptMax: number;
};

type Found<T> = { readonly asOf: number; readonly value: T | undefined };

const keysMax = 1_000;
const readsMax = 2;
/** A look-up is made again when the log moved on meanwhile; a log that moves all the time is not waited for. */
const attemptsMax = 3;

/**
 * Rows of the configuration in memory, looked up where they are not there; what does not exist is not kept.
 *
 * Invariant: what is kept is as of the position last given to `advance` or newer, so an answer never rests on an older
 * configuration than the one announced.
 */
export class LookedUp<T> {
  readonly #kept: Lru<T>;
  readonly #batches: Batches<Found<T>>;
  #seq = 0;
  /** Counts histories: what was being read before one began is not kept. */
  #history = 0;

  constructor({ read, keptMax }: LookedUpOptions<T>) {
    this.#kept = new Lru(keptMax);
    this.#batches = new Batches({
      read: async (keys) => {
        const { asOf, found } = await read(keys);
        return new Map(keys.map((key) => [key, { asOf, value: found.get(key) }]));
      },
      keysMax,
      readsMax,
    });
  }

  get size(): number {
    return this.#kept.size;
  }

  /** The value if it is in memory. */
  known(key: string): T | undefined {
    return this.#kept.get(key);
  }

  /** From memory or the database. @throws POSTGRES_UNREACHABLE and what else the database says */
  async find(key: string): Promise<T | undefined> {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    for (let attempt = 1; ; attempt += 1) {
      const history = this.#history;
      const found = await this.#batches.get(key);
      const isCurrent = found !== undefined && history === this.#history && found.asOf >= this.#seq;
      if (!isCurrent && attempt < attemptsMax) continue;
      if (isCurrent && found.value !== undefined) this.#kept.set(key, found.value);
      return found?.value;
    }
  }

  /** The log stands at `seq` now, and what it did to these keys is no longer in memory. */
  advance(seq: number, changed: Iterable<string>): void {
    this.#seq = seq;
    for (const key of changed) this.#kept.delete(key);
  }

  /** Another history, or rows replaced without events: nothing in memory holds. */
  restart(seq: number): void {
    this.#history += 1;
    this.#seq = seq;
    this.#kept.clear();
  }
}
