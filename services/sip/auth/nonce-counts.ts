import { detached } from '../message/text.ts';

/** Counts behind the highest one seen that may still come, for requests that overtake each other. */
const windowBits = 32;

type Window = { highest: number; seen: number };

/**
 * Which nonce-counts have been used (RFC 7616 section 3.4.3): each count of a nonce is accepted once.
 *
 * Invariant: never accepts a (nonce, count) twice. At most `noncesMax` nonces are remembered; when one is forgotten, no
 * nonce issued up to its time is accepted any more, unless it is remembered itself.
 */
export class NonceCounts {
  readonly #noncesMax: number;
  readonly #windows = new Map<string, { readonly issuedMs: number; readonly window: Window }>();
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
    if (known) return advance(known.window, count);
    if (issuedMs <= this.#forgottenUpToMs) return false;
    if (this.#windows.size >= this.#noncesMax) this.#forgetOldest();
    this.#windows.set(detached(nonce), { issuedMs, window: { highest: count, seen: 1 } });
    return true;
  }

  /** Forgets nonces that are too old to be accepted anyway; they stand first, nearly in order of issue. */
  expire(issuedBeforeMs: number): void {
    for (const [nonce, { issuedMs }] of this.#windows) {
      if (issuedMs >= issuedBeforeMs) return;
      this.#forget(nonce, issuedMs);
    }
  }

  #forgetOldest(): void {
    for (const [nonce, { issuedMs }] of this.#windows) return this.#forget(nonce, issuedMs);
  }

  #forget(nonce: string, issuedMs: number): void {
    this.#windows.delete(nonce);
    this.#forgottenUpToMs = Math.max(this.#forgottenUpToMs, issuedMs);
  }
}

/** A sliding window of bits, as IPsec keeps one (RFC 4303 section 3.4.3); bit 0 of `seen` is `highest`. */
function advance(window: Window, count: number): boolean {
  const ahead = count - window.highest;
  if (ahead > 0) {
    window.seen = ahead < windowBits ? (window.seen << ahead) | 1 : 1;
    window.highest = count;
    return true;
  }
  const bit = 1 << -ahead;
  if (-ahead >= windowBits || (window.seen & bit) !== 0) return false;
  window.seen |= bit;
  return true;
}
