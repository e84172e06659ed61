/**
 * An AsyncDisposableStack whose entries have names, so that a stop that hangs can say where.
 *
 * Invariant: entries are released in reverse order, one after the other, and every one of them even when
 * others fail (the failures arrive combined in a SuppressedError).
 */
export class ResourceStack implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  #releasing: string | undefined;

  /** What is being released now. */
  get releasing(): string | undefined {
    return this.#releasing;
  }

  /** Takes over the release of `resource` and returns it. */
  use<T extends AsyncDisposable | Disposable>(name: string, resource: T): T {
    this.defer(name, () =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
    );
    return resource;
  }

  /** Runs `release` at its turn when the stack is disposed. */
  defer(name: string, release: () => PromiseLike<void> | void): void {
    this.#stack.defer(async () => {
      this.#releasing = name;
      await release();
      this.#releasing = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
