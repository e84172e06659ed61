/** Values that come one after the other, for a test to wait for. */
export class Arrivals<T> {
  readonly #arrived: T[] = [];
  #waiting: ((value: T) => void)[] = [];

  push(value: T): void {
    const next = this.#waiting.shift();
    if (next) next(value);
    else this.#arrived.push(value);
  }

  /** The next one, in order of arrival. */
  next(): Promise<T> {
    if (this.#arrived.length > 0) return Promise.resolve(this.#arrived.shift() as T);
    const { promise, resolve } = Promise.withResolvers<T>();
    this.#waiting.push(resolve);
    return promise;
  }

  /** How many have come and were not taken. */
  get size(): number {
    return this.#arrived.length;
  }
}
