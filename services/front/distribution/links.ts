import { z } from 'zod';
import type { Address } from '../../protocol/program-config.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';

const pollMs = 1_000;
const answerMs = 2_000;

/** What is read of the synchronizer's status. */
const statusSchema = z.object({
  peers: z.array(z.object({ name: z.string(), link: z.object({ state: z.string() }) })),
});

/**
 * Whether the link to each peer is up, as this site's synchronizer says; while it does not say, it is taken to be down:
 * what is known of the peer is then as old as that.
 */
export class Links implements AsyncDisposable {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #unknownSinceMs = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #polling: Promise<void>;

  constructor(synchronizer: Address, peers: readonly string[], clock: Clock) {
    this.#url = `http://${synchronizer.host}:${synchronizer.port}/status`;
    this.#clock = clock;
    for (const peer of peers) this.#unknownSinceMs.set(peer, clock.nowMs());
    this.#polling = peers.length > 0 ? this.#poll() : Promise.resolve();
  }

  isUp(peer: string): boolean {
    return !this.#unknownSinceMs.has(peer);
  }

  /** Since when the peer's flows are not known to be current; null while they are. */
  unknownSince(peer: string): Date | null {
    const ms = this.#unknownSinceMs.get(peer);
    return ms === undefined ? null : new Date(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stopping;
    const peers = [...this.#unknownSinceMs.keys()];
    while (!signal.aborted) {
      const up = await this.#ask();
      for (const peer of peers) {
        if (up.has(peer)) this.#unknownSinceMs.delete(peer);
        else if (!this.#unknownSinceMs.has(peer)) this.#unknownSinceMs.set(peer, this.#clock.nowMs());
      }
      await pause(signal);
    }
  }

  async #ask(): Promise<ReadonlySet<string>> {
    try {
      const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(answerMs)]);
      const response = await fetch(this.#url, { signal });
      const { peers } = statusSchema.parse(await response.json());
      return new Set(peers.filter(({ link }) => link.state === 'up').map(({ name }) => name));
    } catch {
      return new Set();
    }
  }
}

function pause(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, pollMs);
  const onAbort = (): void => {
    clearTimeout(timer);
    resolve();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return promise.finally(() => signal.removeEventListener('abort', onAbort));
}
