import { Lru } from '../../platform/collections/lru.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';

/** Messages that have proven nothing: how many at once, and how many a second then. */
export type Allowance = { readonly burst: number; readonly perSecond: number };

export type SourceLimitValues = {
  /** Of one address that no registered device is known to be behind. */
  readonly stranger: Allowance;
  /** Of all such addresses together: senders of datagrams may invent them. */
  readonly strangers: Allowance;
  /** Of one address that registered devices are behind. */
  readonly known: Allowance;
};

export const defaultSourceLimits: SourceLimitValues = {
  stranger: { burst: 1_000, perSecond: 100 },
  strangers: { burst: 6_000, perSecond: 3_000 },
  known: { burst: 20_000, perSecond: 5_000 },
};

const bucketsMax = 50_000;
/** A registration is two messages, of which the first proves nothing. */
const messagesProven = 2;

class Bucket {
  tokens: number;
  #atMs: number;

  constructor({ burst }: Allowance, nowMs: number) {
    this.tokens = burst;
    this.#atMs = nowMs;
  }

  fill({ burst, perSecond }: Allowance, nowMs: number): void {
    this.tokens = Math.min(burst, this.tokens + ((nowMs - this.#atMs) / 1_000) * perSecond);
    this.#atMs = nowMs;
  }
}

/**
 * Who may say how much before he has proven anything.
 *
 * Invariants: what was proven is given back, so that genuine devices are not limited however many are behind one
 * address. Strangers together cannot take what is left for addresses with registered devices. At most `bucketsMax`
 * addresses are remembered, those that were silent for longest forgotten first.
 */
export class SourceLimits {
  readonly #isKnown: (address: string) => boolean;
  readonly #clock: Clock;
  readonly #values: SourceLimitValues;
  readonly #buckets = new Lru<Bucket>(bucketsMax);
  readonly #strangers: Bucket;
  #refused = 0;

  constructor(
    isKnown: (address: string) => boolean,
    clock: Clock,
    values: SourceLimitValues = defaultSourceLimits,
  ) {
    this.#isKnown = isKnown;
    this.#clock = clock;
    this.#values = values;
    this.#strangers = new Bucket(values.strangers, clock.monotonicMs());
  }

  /** Messages that were not let in. */
  get refused(): number {
    return this.#refused;
  }

  /** Whether another message of the address is let in. */
  admit(address: string): boolean {
    const admitted = this.#isKnown(address)
      ? this.#take(address, this.#values.known)
      : this.#takeAsStranger(address);
    if (!admitted) this.#refused += 1;
    return admitted;
  }

  /** A message of the address was shown to be genuine. */
  prove(address: string): void {
    const bucket = this.#buckets.get(address);
    if (bucket) bucket.tokens += messagesProven;
    this.#strangers.tokens += messagesProven;
  }

  #takeAsStranger(address: string): boolean {
    const { strangers, stranger } = this.#values;
    this.#strangers.fill(strangers, this.#clock.monotonicMs());
    if (this.#strangers.tokens < 1 || !this.#take(address, stranger)) return false;
    this.#strangers.tokens -= 1;
    return true;
  }

  #take(address: string, allowance: Allowance): boolean {
    const nowMs = this.#clock.monotonicMs();
    let bucket = this.#buckets.get(address);
    if (!bucket) this.#buckets.set(address, (bucket = new Bucket(allowance, nowMs)));
    bucket.fill(allowance, nowMs);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
