import type { SipUser } from '../../../support/clients/users.ts';

/** Watches the other site. */
export type Finder = AsyncDisposable & {
  /** Resolves when the user can be found there. */
  untilFound(user: SipUser): Promise<void>;
};

/**
 * Measures from a 200 OK until the user can be found at the other site, for one user after the other: whoever registers
 * while one is looked for is left out.
 */
export class FindableSampler {
  readonly timesMs: number[] = [];
  readonly #finder: Finder;
  #search: Promise<void> | undefined;

  constructor(finder: Finder) {
    this.#finder = finder;
  }

  /** Takes the user as a sample, unless it is busy. */
  registered(user: SipUser): void {
    this.#search ??= this.#lookFor(user, performance.now()).finally(() => (this.#search = undefined));
  }

  /** Waits for the sample that is being looked for. */
  async finish(): Promise<void> {
    await this.#search;
  }

  async #lookFor(user: SipUser, registeredMs: number): Promise<void> {
    await this.#finder.untilFound(user);
    this.timesMs.push(performance.now() - registeredMs);
  }
}
