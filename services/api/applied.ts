import { setTimeout as sleep } from 'node:timers/promises';
import { DualhomeError } from '../protocol/errors/index.ts';
import { LogName } from '../protocol/names.ts';
import type { Status } from '../protocol/status.ts';

const POLL_MS = 20;

export type AppliedOptions = {
  readonly site: string;
  readonly status: () => Promise<Status>;
  /** Longest wait. */
  readonly timeoutMs: number;
};

type Waiter = { readonly seq: number; readonly resolve: () => void };

/** Waits until events of this site's configuration are applied at every peer that receives it. */
export class Applied {
  readonly #options: AppliedOptions;
  #waiters: Waiter[] = [];
  #polling = false;

  constructor(options: AppliedOptions) {
    this.#options = options;
  }

  /** @throws CONFIG_NOT_APPLIED */
  async until(seq: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { seq, resolve };
    this.#waiters.push(waiter);
    if (!this.#polling) void this.#poll();
    const { timeoutMs } = this.#options;
    const limit = new AbortController();
    const expired = sleep(timeoutMs, true, { signal: limit.signal }).catch(() => false);
    const late = await Promise.race([promise.then(() => false), expired]);
    limit.abort();
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    if (late)
      throw new DualhomeError('CONFIG_NOT_APPLIED', { detail: `Event ${seq}`, facts: { seq, timeoutMs } });
  }

  /** Asks for the status as long as somebody waits. */
  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.#waiters.length > 0) {
      const status = await this.#options.status().catch(() => undefined);
      const applied = status ? appliedEverywhere(status, this.#options.site) : undefined;
      for (const { seq, resolve } of this.#waiters) if (applied !== undefined && seq <= applied) resolve();
      await sleep(POLL_MS);
    }
    this.#polling = false;
  }
}

/** The last event of this site's configuration that every receiver has applied; undefined where one is not known. */
export function appliedEverywhere(status: Status, site: string): number | undefined {
  const directions = status.peers
    .flatMap((peer) => peer.directions)
    .filter(({ log, from }) => log === LogName.configuration && from === site);
  if (directions.some(({ applied }) => applied === null)) return undefined;
  return Math.min(...directions.map(({ applied }) => applied ?? 0));
}
