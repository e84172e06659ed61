import { Resolver } from 'node:dns/promises';
import { messageOf } from '../../protocol/errors/index.ts';
import { systemClock } from '../lifecycle/clock.ts';
import type { Clock } from '../lifecycle/clock.ts';

/** One record of an answer; which fields it has follows from what was asked for. */
export type DnsAnswer = Readonly<Record<string, string | number>>;
export type DnsType = 'A' | 'AAAA' | 'SRV' | 'NAPTR';

export type DnsOptions = {
  /** `host:port` each; those of the system where left out. */
  readonly servers?: readonly string[] | undefined;
  readonly onFailure: (name: string, reason: string) => void;
  readonly clock?: Pick<Clock, 'monotonicMs'> | undefined;
};

/** Records, and how long they may be kept. */
type Found = { readonly records: readonly DnsAnswer[]; readonly keepMs: number };
type Entry = { readonly found: Promise<Found>; untilMs: number };

const timeoutMs = 1_000;
const tries = 2;
const namesMax = 1_000;
/** Longest time an answer is kept. */
const keepMsMax = 30_000;
/** A name without records, or without an answer, is asked for again soon. */
const keepNothingMs = 5_000;

/**
 * Records by DNS, kept for a while: addresses as long as their TTL says, 30 s at most. Never throws: a failure is an
 * empty answer.
 *
 * Invariant: at most `namesMax` answers are kept; questions that are the same share one look-up.
 */
export class DnsResolver {
  readonly #resolver = new Resolver({ timeout: timeoutMs, tries });
  readonly #entries = new Map<string, Entry>();
  readonly #onFailure: DnsOptions['onFailure'];
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor({ servers, onFailure, clock = systemClock }: DnsOptions) {
    if (servers) this.#resolver.setServers(servers);
    this.#onFailure = onFailure;
    this.#clock = clock;
  }

  async resolve(type: DnsType, name: string): Promise<readonly DnsAnswer[]> {
    const key = `${type} ${name}`;
    const kept = this.#entries.get(key);
    const entry = kept && kept.untilMs > this.#clock.monotonicMs() ? kept : this.#askAndKeep(key, type, name);
    return (await entry.found).records;
  }

  #askAndKeep(key: string, type: DnsType, name: string): Entry {
    this.#entries.delete(key);
    if (this.#entries.size >= namesMax) this.#forgetOldest();
    const entry: Entry = { found: this.#ask(type, name), untilMs: Infinity };
    this.#entries.set(key, entry);
    void entry.found.then(({ keepMs }) => (entry.untilMs = this.#clock.monotonicMs() + keepMs));
    return entry;
  }

  async #ask(type: DnsType, name: string): Promise<Found> {
    try {
      const records = await this.#records(type, name);
      return { records, keepMs: keepMsOf(records) };
    } catch (error) {
      this.#onFailure(name, messageOf(error));
      return { records: [], keepMs: keepNothingMs };
    }
  }

  async #records(type: DnsType, name: string): Promise<DnsAnswer[]> {
    switch (type) {
      case 'A':
        return asAnswers(await this.#resolver.resolve4(name, { ttl: true }));
      case 'AAAA':
        return asAnswers(await this.#resolver.resolve6(name, { ttl: true }));
      case 'SRV':
        return asAnswers(await this.#resolver.resolveSrv(name));
      case 'NAPTR':
        return asAnswers(await this.#resolver.resolveNaptr(name));
    }
  }

  #forgetOldest(): void {
    for (const [key] of this.#entries) return void this.#entries.delete(key);
  }
}

function asAnswers(records: readonly object[]): DnsAnswer[] {
  return records.map((record) => ({ ...record }));
}

/** Node says the TTL of addresses alone. */
function keepMsOf(records: readonly DnsAnswer[]): number {
  const ttlsMs = records.flatMap(({ ttl }) => (ttl === undefined ? [] : Number(ttl) * 1_000));
  return Math.min(keepMsMax, ...ttlsMs);
}
