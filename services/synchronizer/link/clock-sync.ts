import type { Heartbeat, Moment } from '../../protocol/link/frame.ts';
import type { Report } from '../../protocol/link/report.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';

/** `clockOffsetMs` is how far the peer's wall clock is ahead of this site's. */
export type ClockReading = { readonly roundTripMs: number; readonly clockOffsetMs: number };

const momentOf = (clock: Clock): Moment => ({
  wallMs: clock.nowMs(),
  monotonicMs: clock.monotonicMs(),
});

/**
 * Round trip and offset from four timestamps (RFC 5905 section 8): ours when our heartbeat left, the
 * peer's when it arrived, the peer's when this one left, ours now. The round trip is of monotonic
 * clocks, so that a clock that is set does not disturb it. Undefined before the peer has heard of us.
 */
export function readClocks({ echo, sent }: Heartbeat, now: Moment): ClockReading | undefined {
  if (!echo) return undefined;
  const away = now.monotonicMs - echo.sent.monotonicMs;
  const stayed = sent.monotonicMs - echo.received.monotonicMs;
  const thither = echo.received.wallMs - echo.sent.wallMs;
  const hither = sent.wallMs - now.wallMs;
  return { roundTripMs: Math.max(0, away - stayed), clockOffsetMs: (thither + hither) / 2 };
}

/** What the heartbeats of one connection have told. */
export class Heartbeats {
  readonly #clock: Clock;
  #echo: Heartbeat['echo'] = null;
  /** Of the last one; undefined before the peer has heard of ours. */
  clocks: ClockReading | undefined;
  /** Monotonic time of the last one, or of the connection. */
  atMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.atMs = clock.monotonicMs();
  }

  /** The next one of ours. */
  compose(report: Report): Heartbeat {
    return { sent: momentOf(this.#clock), echo: this.#echo, report };
  }

  receive(heartbeat: Heartbeat): void {
    const now = momentOf(this.#clock);
    this.clocks = readClocks(heartbeat, now) ?? this.clocks;
    this.atMs = now.monotonicMs;
    this.#echo = { sent: heartbeat.sent, received: now };
  }
}
