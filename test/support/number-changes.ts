import type { Answered } from './check-log.ts';
import { tokenOf } from './api.ts';
import { NdjsonRequest } from './ndjson-client.ts';

/** Clients that each send the next number when the last one was answered, until one is refused or they are stopped. */
export class NumberChanges {
  readonly answered: Answered[] = [];
  /** Lines that were answered with a problem. */
  readonly refused: unknown[] = [];
  readonly #url: string;
  readonly #clients: readonly Promise<void>[];
  #next: number;
  #stopping = false;
  #waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(url: string, { clients = 4, from = 100_000 } = {}) {
    this.#url = `${url}/v1/changes`;
    this.#next = from;
    this.#clients = Array.from({ length: clients }, () => this.#run());
  }

  /** Resolves when that many have been answered in all; rejects when no client is left to get there. */
  async reached(count: number): Promise<void> {
    if (this.answered.length >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ count, resolve });
    const gone = this.ended().then(() => {
      if (this.answered.length < count) throw new Error(`ended early: ${JSON.stringify(this.refused)}`);
    });
    await Promise.race([promise, gone]);
  }

  /** Resolves when every client has ended: after `stop`, or because the api is gone. */
  async ended(): Promise<void> {
    await Promise.all(this.#clients);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.ended();
  }

  async #run(): Promise<void> {
    using stream = new NdjsonRequest(this.#url, tokenOf('operator'));
    while (!this.#stopping) {
      const key = `+49${(this.#next += 1)}`;
      stream.send({ op: 'put', kind: 'number', row: { number: key, aor: 'a@c1.example' } });
      const answer = await stream.next().catch(() => undefined);
      if (answer === undefined) return;
      this.#take(key, answer as { readonly seq?: number });
      if (this.refused.length > 0) return;
    }
  }

  #take(key: string, answer: { readonly seq?: number }): void {
    if (answer.seq === undefined) this.refused.push(answer);
    else this.answered.push({ key, seq: answer.seq });
    const due = this.#waiters.filter(({ count }) => this.answered.length >= count);
    this.#waiters = this.#waiters.filter((waiter) => !due.includes(waiter));
    for (const { resolve } of due) resolve();
  }
}
