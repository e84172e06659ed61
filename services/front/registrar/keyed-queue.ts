/**
 * Runs work about the same key one after the other, in order of arrival.
 *
 * Invariant: a key is held only while work about it is under way.
 */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  isBusy(key: string): boolean {
    return this.#tails.has(key);
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const done = before ? before.then(work, work) : work();
    this.#tails.set(key, done);
    try {
      return await done;
    } finally {
      if (this.#tails.get(key) === done) this.#tails.delete(key);
    }
  }
}
