import { Linked, LinkedList } from '../../platform/collections/linked-list.ts';
import { detached } from '../message/text.ts';

/** Counts behind the highest one seen that may still come, for requests that overtake each other. */
const windowBits = 32;

/** A sliding window of bits, as IPsec keeps one (RFC 4303 section 3.4.3); bit 0 of `#seen` is `#highest`. */
class Window extends Linked<Window> {
  readonly nonce: string;
  readonly issuedMs: number;
  #highest: number;
  #seen = 1;

  constructor(nonce: string, issuedMs: number, count: number) {
    super();
    this.nonce = nonce;
    this.issuedMs = issuedMs;
    this.#highest = count;
  }

  use(count: number): boolean {
    const ahead = count - this.#highest;
    if (ahead > 0) {
      this.#seen = ahead < windowBits ? (this.#seen << ahead) | 1 : 1;
      this.#highest = count;
      return true;
    }
    const bit = 1 << -ahead;
    if (-ahead >= windowBits || (this.#seen & bit) !== 0) return false;
    this.#seen |= bit;
    return true;
  }
}

/**
 * Which nonce-counts have been used (RFC 7616 section 3.4.3): each count of a nonce is accepted once.
 *
 * Invariant: never accepts a (nonce, count) twice. At most `noncesMax` nonces are remembered; when one is forgotten, no
 * nonce issued up to its time is accepted any more, unless it is remembered itself.
 */
export class NonceCounts {
  readonly #noncesMax: number;
  readonly #windows = new Map<string, Window>();
  /** Nearly in order of issue. */
  readonly #order = new LinkedList<Window>();
  #forgottenUpToMs = -Infinity;

  constructor(noncesMax: number) {
    this.#noncesMax = noncesMax;
  }

  get size(): number {
    return this.#windows.size;
  }

  /** Marks the count as used; false where it was used before, is too far behind, or can no longer be known. */
  use(nonce: string, issuedMs: number, count: number): boolean {
    const known = this.#windows.get(nonce);
    if (known) return known.use(count);
    if (issuedMs <= this.#forgottenUpToMs) return false;
    const oldest = this.#order.first;
    if (oldest && this.#windows.size >= this.#noncesMax) this.#forget(oldest);
    const window = new Window(detached(nonce), issuedMs, count);
    this.#windows.set(window.nonce, window);
    this.#order.push(window);
    return true;
  }

  /** Forgets nonces that are too old to be accepted anyway. */
  expire(issuedBeforeMs: number): void {
    for (const window of this.#order) {
      if (window.issuedMs >= issuedBeforeMs) return;
      this.#forget(window);
    }
  }

  #forget(window: Window): void {
    this.#windows.delete(window.nonce);
    this.#order.remove(window);
    this.#forgottenUpToMs = Math.max(this.#forgottenUpToMs, window.issuedMs);
  }
}
