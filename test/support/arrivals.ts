/** Values that come one after the other, for a test to wait for, until they end. */
export class Arrivals<T> {
  readonly #arrived: T[] = [];
  readonly #waiting: PromiseWithResolvers<T>[] = [];
  #ended: Error | undefined;

  push(value: T): void {
    const next = this.#waiting.shift();
    if (next) next.resolve(value);
    else this.#arrived.push(value);
  }

  /** No more will come: who waits, or will wait, is refused. */
  end(reason: string): void {
    this.#ended = new Error(reason);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }

  /** The next one, in order of arrival. */
  async next(): Promise<T> {
    if (this.#arrived.length > 0) return this.#arrived.shift() as T;
    if (this.#ended) throw this.#ended;
    const next = Promise.withResolvers<T>();
    this.#waiting.push(next);
    return await next.promise;
  }

  /** How many have come and were not taken. */
  get size(): number {
    return this.#arrived.length;
  }
}
