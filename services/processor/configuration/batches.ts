export type BatchesOptions<T> = {
  /** Answers many keys at once. */
  readonly read: (keys: readonly string[]) => Promise<ReadonlyMap<string, T>>;
  readonly keysMax: number;
  /** Reads at one time; what is asked meanwhile waits and is read together. */
  readonly readsMax: number;
};

/**
 * Reads one by one for many who ask, together for the database.
 *
 * Invariant: a key asked for is read after it was asked for, never answered by a read that had begun before.
 */
export class Batches<T> {
  readonly #options: BatchesOptions<T>;
  readonly #waiting = new Map<string, PromiseWithResolvers<T | undefined>>();
  #reads = 0;
  #scheduled = false;

  constructor(options: BatchesOptions<T>) {
    this.#options = options;
  }

  get(key: string): Promise<T | undefined> {
    let asked = this.#waiting.get(key);
    if (!asked) {
      asked = Promise.withResolvers<T | undefined>();
      this.#waiting.set(key, asked);
    }
    this.#schedule();
    return asked.promise;
  }

  /** At the end of this turn of the event loop, so that all it brings is read together. */
  #schedule(): void {
    if (this.#scheduled || this.#reads >= this.#options.readsMax || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#read();
    });
  }

  async #read(): Promise<void> {
    const { keysMax, read } = this.#options;
    const asked = [...this.#waiting].slice(0, keysMax);
    for (const [key] of asked) this.#waiting.delete(key);
    this.#reads += 1;
    this.#schedule();
    try {
      const found = await read(asked.map(([key]) => key));
      for (const [key, { resolve }] of asked) resolve(found.get(key));
    } catch (error) {
      for (const [, { reject }] of asked) reject(error);
    } finally {
      this.#reads -= 1;
      this.#schedule();
    }
  }
}
