import { Resolver } from 'node:dns/promises';
import { messageOf } from '../../protocol/errors/index.ts';

/** One record of an answer; which fields it has follows from what was asked for. */
export type DnsAnswer = Readonly<Record<string, string | number>>;
export type DnsType = 'A' | 'AAAA' | 'SRV' | 'NAPTR';

export type DnsOptions = {
  /** `host:port` each; those of the system where left out. */
  readonly servers?: readonly string[] | undefined;
  readonly onFailure: (name: string, reason: string) => void;
};

const timeoutMs = 1_000;
const tries = 2;
const namesMax = 1_000;
const keepMs = 30_000;
/** A name without records, or without an answer, is asked for again soon. */
const keepNothingMs = 5_000;

/**
 * Records by DNS, kept for a while. Never throws: a failure is an empty answer.
 *
 * Invariant: at most `namesMax` answers are kept; questions that are the same share one look-up.
 */
export class DnsResolver {
  readonly #resolver = new Resolver({ timeout: timeoutMs, tries });
  readonly #answers = new Map<string, { readonly answer: Promise<readonly DnsAnswer[]>; untilMs: number }>();
  readonly #onFailure: DnsOptions['onFailure'];

  constructor({ servers, onFailure }: DnsOptions) {
    if (servers) this.#resolver.setServers(servers);
    this.#onFailure = onFailure;
  }

  resolve(type: DnsType, name: string): Promise<readonly DnsAnswer[]> {
    const key = `${type} ${name}`;
    const kept = this.#answers.get(key);
    if (kept && kept.untilMs > performance.now()) return kept.answer;
    this.#answers.delete(key);
    if (this.#answers.size >= namesMax) this.#forgetOldest();
    const entry = { answer: this.#ask(type, name), untilMs: Infinity };
    this.#answers.set(key, entry);
    void entry.answer.then(({ length }) => {
      entry.untilMs = performance.now() + (length > 0 ? keepMs : keepNothingMs);
    });
    return entry.answer;
  }

  async #ask(type: DnsType, name: string): Promise<readonly DnsAnswer[]> {
    try {
      switch (type) {
        case 'A':
          return (await this.#resolver.resolve4(name)).map((address) => ({ address }));
        case 'AAAA':
          return (await this.#resolver.resolve6(name)).map((address) => ({ address }));
        case 'SRV':
          return (await this.#resolver.resolveSrv(name)).map((record) => ({ ...record }));
        case 'NAPTR':
          return (await this.#resolver.resolveNaptr(name)).map((record) => ({ ...record }));
      }
    } catch (error) {
      this.#onFailure(name, messageOf(error));
      return [];
    }
  }

  #forgetOldest(): void {
    for (const [key] of this.#answers) return void this.#answers.delete(key);
  }
}
