import type { RowsWanted } from './planner.ts';
import type { RowVersions } from './row-versions.ts';

/** Rows of a batch of requests; `asOf` is what `stamp` said when they were asked for. */
export type Found = { readonly rows: RowVersions; readonly asOf: number };

export type LookupsOptions<T> = {
  readonly wanted: (item: T) => RowsWanted;
  readonly read: (wanted: readonly RowsWanted[]) => Promise<RowVersions>;
  readonly stamp: () => number;
  /** Keys of one look-up; an item with more has one of its own. */
  readonly keysMax: number;
  readonly onFound: (items: readonly T[], found: Found) => void;
  readonly onFailed: (items: readonly T[], error: unknown) => void;
};

/** So many items are not kept waiting for a look-up that is under way. */
const worthwhile = 64;

type Batch = { readonly asOf: number; settle: (() => void) | undefined };

/**
 * Looks up the rows of what arrives within one turn of the event loop together.
 *
 * Invariant: items are found in the order in which they were added, whichever look-up ends first.
 */
export class Lookups<T> {
  readonly #options: LookupsOptions<T>;
  #arrived: T[] = [];
  #scheduled = false;
  /** Oldest first. */
  readonly #underWay: Batch[] = [];

  constructor(options: LookupsOptions<T>) {
    this.#options = options;
  }

  /** The stamp of the oldest look-up under way. */
  get oldest(): number | undefined {
    return this.#underWay[0]?.asOf;
  }

  add(item: T): void {
    this.#arrived.push(item);
    this.#schedule();
  }

  /** What comes while small look-ups are under way is looked up together after them: each costs the server the same. */
  #schedule(): void {
    if (this.#scheduled || this.#arrived.length === 0) return;
    if (this.#underWay.length > 0 && this.#arrived.length < worthwhile) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const arrived = this.#arrived;
    this.#arrived = [];
    let start = 0;
    let keys = 0;
    arrived.forEach((item, i) => {
      const count = this.#options.wanted(item).keys.length;
      if (i > start && keys + count > this.#options.keysMax) {
        void this.#lookUp(arrived.slice(start, i));
        start = i;
        keys = 0;
      }
      keys += count;
    });
    void this.#lookUp(arrived.slice(start));
  }

  async #lookUp(items: readonly T[]): Promise<void> {
    const { wanted, read, stamp, onFound, onFailed } = this.#options;
    const asOf = stamp();
    const batch: Batch = { asOf, settle: undefined };
    this.#underWay.push(batch);
    // Not a function written where it is assigned, which would keep items and rows in memory: see `ask`.
    batch.settle = await read(items.map(wanted)).then(
      (rows) => () => onFound(items, { rows, asOf }),
      (error: unknown) => () => onFailed(items, error),
    );
    while (this.#underWay[0]?.settle) this.#underWay.shift()?.settle?.();
    this.#schedule();
  }
}
