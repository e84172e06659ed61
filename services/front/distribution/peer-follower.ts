import { registrationLog } from '../../log/definition.ts';
import type { FlowRow } from '../../model/flow.ts';
import { flow } from '../../model/flow.ts';
import { delay, isAbortOf } from '../../platform/lifecycle/abort.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';
import { peerSchema } from '../../protocol/names.ts';
import { readBegun, readFlows, readPeerEvents, readPeerHead } from '../store/flows.ts';
import type { PeerEvents, PeerHead, RecordedFlow } from '../store/flows.ts';
import type { Distribution } from './distribution.ts';

/** Notifications are hints; this is what is relied on. */
const pollMs = 500;
/** Beyond so many events the flows are read anew. */
const eventsMax = 5_000;
const pageEvents = 1_000;

export type PeerFollowerOptions = {
  readonly peer: string;
  readonly shared: Queryable;
  readonly distribution: Distribution;
  readonly log: Logger;
};

/**
 * Keeps a peer's flows in the distribution as its registration log, held here, says.
 *
 * Invariant: the distribution has of this peer everything up to `head`, and nothing of another history: where the log
 * was replaced or has a gap behind what was read, the flows are read anew.
 */
export class PeerFollower implements AsyncDisposable {
  readonly #options: PeerFollowerOptions;
  readonly #schema: string;
  readonly #stopping = new AbortController();
  #head: PeerHead | undefined;
  #hint = Promise.withResolvers<void>();
  #following: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: PeerFollowerOptions) {
    this.#options = options;
    this.#schema = peerSchema(options.peer);
  }

  get peer(): string {
    return this.#options.peer;
  }

  /** What has been read of the peer's log; undefined before the first read. */
  get head(): PeerHead | undefined {
    return this.#head;
  }

  /** As a registration says what it was made in knowledge of; undefined where nothing of this peer is known. */
  get position(): string | undefined {
    return this.#head && this.#head.seq > 0
      ? `${this.peer} ${this.#head.incarnation} ${this.#head.seq}`
      : undefined;
  }

  /** Reads what there is now. @throws POSTGRES_* */
  async load(): Promise<void> {
    await this.#readNew();
  }

  /** Begins to follow. */
  start(): void {
    this.#following = this.#follow();
  }

  /** There may be something new. */
  hint(): void {
    this.#hint.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#hint.resolve();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await Promise.race([this.#hint.promise, pause(pollMs, signal)]);
      this.#hint = Promise.withResolvers<void>();
      if (signal.aborted) return;
      try {
        await this.#readNew();
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing)
          this.#options.log.warn({ err: error, peer: this.peer }, "a peer's flows cannot be read");
        this.#isFailing = true;
      }
    }
  }

  async #readNew(): Promise<void> {
    const { shared } = this.#options;
    const known = this.#head;
    const head = await readPeerHead(shared, this.#schema);
    if (known && isSame(known, head)) return;
    if (!known || !goesOn(known, head)) return await this.#readAnew(head);
    for (let { seq } = known; seq < head.seq;) {
      const { firstSeq, events } = await readPeerEvents(shared, this.#schema, seq, pageEvents);
      if (firstSeq !== seq + 1) return await this.#readAnew(head);
      this.#apply(firstSeq, events);
      seq += events.length;
      this.#head = { ...head, seq };
    }
  }

  async #readAnew(head: PeerHead): Promise<void> {
    const { shared, distribution, peer } = this.#options;
    const put = (page: readonly RecordedFlow[]): void => {
      for (const flowRow of page) distribution.put(peer, flowRow, flowRow.seq);
    };
    const begun = await readBegun(shared, this.#schema);
    const pages = readFlows(shared, this.#schema);
    if (!this.#head) {
      distribution.setBegun(peer, begun);
      for await (const page of pages) put(page);
    } else {
      // What is known is used until all of what replaces it is there.
      const all = await Array.fromAsync(pages);
      distribution.setBegun(peer, begun);
      distribution.clear(peer);
      for (const page of all) put(page);
    }
    this.#head = head;
  }

  #apply(firstSeq: number, events: PeerEvents['events']): void {
    const { distribution, peer } = this.#options;
    events.forEach(({ type, data }, i) => {
      if (!('rows' in data) || registrationLog.kindOf(type) !== flow) return;
      for (const { key, after } of data.rows) {
        if (after) distribution.put(peer, after as FlowRow, firstSeq + i);
        else distribution.remove(peer, key, firstSeq + i);
      }
    });
  }
}

const isSame = (a: PeerHead, b: PeerHead): boolean =>
  a.seq === b.seq && a.incarnation === b.incarnation && a.snapshots === b.snapshots;

/** Whether the log was only added to since. */
const goesOn = (known: PeerHead, head: PeerHead): boolean =>
  known.incarnation === head.incarnation &&
  known.snapshots === head.snapshots &&
  known.seq <= head.seq &&
  head.seq - known.seq <= eventsMax;

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, signal).catch((error: unknown) => {
    if (!isAbortOf(signal, error)) throw error;
  });
}
