type Claim = { readonly abort: () => void; readonly released: Promise<void> };

/**
 * Who writes which file, over all sessions of a server.
 *
 * Invariant: a path has one claim at most.
 */
export class FileWriters {
  readonly #claims = new Map<string, Claim>();

  /** Makes whoever writes `path` stop, and waits until it has. */
  async evict(path: string): Promise<void> {
    for (let claim = this.#claims.get(path); claim; claim = this.#claims.get(path)) {
      claim.abort();
      await claim.released;
    }
  }

  /** Takes `path` over; `abort` is called when another does so. Disposing releases it. */
  async claim(path: string, abort: () => void): Promise<Disposable> {
    while (this.#claims.has(path)) await this.evict(path);
    const { promise: released, resolve } = Promise.withResolvers<void>();
    this.#claims.set(path, { abort, released });
    return {
      [Symbol.dispose]: () => {
        this.#claims.delete(path);
        resolve();
      },
    };
  }
}
