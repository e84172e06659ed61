export type StopSignal = 'SIGTERM' | 'SIGINT';

/** Signals seen so far, each with the monotonic time of its first arrival. */
export type SignalsSeen = ReadonlyMap<StopSignal, number>;

/** One key press reaches a program more than once (terminal, npm); after this long it is a second wish. */
const sameWishMs = 1_000;

/**
 * What a signal asks for. The first stops; the same one again, later, forces. A different one only ever comes
 * from a supervisor that stops its programs in order while the terminal has already told them all.
 */
export function decideSignal(
  seen: SignalsSeen,
  signal: StopSignal,
  nowMs: number,
): 'stop' | 'ignore' | 'force' {
  if (seen.size === 0) return 'stop';
  const firstMs = seen.get(signal);
  return firstMs !== undefined && nowMs - firstMs >= sameWishMs ? 'force' : 'ignore';
}
