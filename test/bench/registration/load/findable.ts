import type { SipUser } from '../../../support/clients/users.ts';

/** Looks for a user at the other site. */
export type Finder = AsyncDisposable & { find(user: SipUser): Promise<boolean> };

/**
 * Measures from a 200 OK until the user can be found at the other site, by asking without pause for one user after the
 * other: whoever registers while one is looked for is left out.
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
    while (!(await this.#finder.find(user)));
    this.timesMs.push(performance.now() - registeredMs);
  }
}
