import { setTimeout as sleep } from 'node:timers/promises';
import { subscriber } from '../../services/model/subscriber.ts';
import { aSubscriber } from './builders.ts';
import type { TestSite } from './test-site.ts';

/** Enough of a load to be in the way of everything, and little enough to leave the processors to what is tested. */
const paceMs = 10;

/**
 * Changes rows at a site, one after the other, until disposed of. A change whose answer was lost is made
 * again, as any provisioning system would; what was acknowledged is remembered, so that a test can
 * look for it.
 */
export class SteadyChanges implements AsyncDisposable {
  readonly #site: TestSite;
  readonly #first: number;
  readonly #rows: number;
  readonly #acknowledged = new Map<number, string>();
  readonly #running: Promise<void>;
  #stopped = false;
  #failures = 0;

  /** `first` and `rows` say which subscribers are changed. */
  constructor(site: TestSite, { first = 1, rows = 50 } = {}) {
    this.#site = site;
    this.#first = first;
    this.#rows = rows;
    this.#running = this.#run();
  }

  /** The last acknowledged display name of each row. */
  get acknowledged(): ReadonlyMap<number, string> {
    return this.#acknowledged;
  }

  /** Requests that got no answer. */
  get failures(): number {
    return this.#failures;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    for (let k = 1; !this.#stopped; k += 1) {
      const n = this.#first + (k % this.#rows);
      const displayName = `Change ${k}`;
      await this.#untilAnswered(n, displayName);
      this.#acknowledged.set(n, displayName);
      await sleep(paceMs);
    }
  }

  async #untilAnswered(n: number, displayName: string): Promise<void> {
    for (;;) {
      try {
        await this.#site.put(subscriber, aSubscriber(n, { display_name: displayName }));
        return;
      } catch (error) {
        this.#failures += 1;
        if (this.#stopped) throw error;
        await sleep(paceMs);
      }
    }
  }
}
