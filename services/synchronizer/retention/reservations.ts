import type { Clock } from '../../platform/lifecycle/clock.ts';

/** Kept so long after the last word: what comes after a transfer (the swap, the peer's RESUME) needs its events too. */
const lingerMs = 60_000;

type Reservation = { readonly log: string; readonly after: number; endsAtMs: number };

/**
 * Events that work under way needs. A log is known by the subject of its alarms: `configuration` is this site's own,
 * `c2/configuration` the copy of that of c2.
 */
export class Reservations {
  readonly #clock: Clock;
  readonly #reservations = new Map<string | symbol, Reservation>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps the events after a seq until a while after it was disposed of. */
  hold(log: string, after: number): Disposable {
    const reservation = { log, after, endsAtMs: Infinity };
    this.#reservations.set(Symbol(log), reservation);
    return { [Symbol.dispose]: () => void (reservation.endsAtMs = this.#clock.monotonicMs() + lingerMs) };
  }

  /** Keeps the events after a seq for a while; a later word of the same owner replaces it. */
  touch(log: string, owner: string, after: number): void {
    const endsAtMs = this.#clock.monotonicMs() + lingerMs;
    this.#reservations.set(`${log} ${owner}`, { log, after, endsAtMs });
  }

  /** Only events up to here are reserved by nobody. */
  freeUpTo(log: string): number {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { endsAtMs }] of this.#reservations)
      if (endsAtMs <= nowMs) this.#reservations.delete(key);
    const held = [...this.#reservations.values()].filter((reservation) => reservation.log === log);
    return Math.min(...held.map(({ after }) => after));
  }
}
