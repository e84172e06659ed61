/**
 * How much the receiver still lets the sender send. A frame may overdraw it, so that one larger
 * than the whole credit still passes; then nothing is sent until the receiver has made up for it.
 */
export class Credit {
  #bytes: number;
  #granted = Promise.withResolvers<void>();

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get exhausted(): boolean {
    return this.#bytes <= 0;
  }

  spend(bytes: number): void {
    this.#bytes -= bytes;
  }

  grant(bytes: number): void {
    this.#bytes += bytes;
    this.#granted.resolve();
    this.#granted = Promise.withResolvers<void>();
  }

  /** Resolves with the next grant. */
  get granted(): Promise<void> {
    return this.#granted.promise;
  }
}
