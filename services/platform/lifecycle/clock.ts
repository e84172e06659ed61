/** Where time comes from. Durations and deadlines use the monotonic clock; the wall clock only labels. */
export type Clock = {
  /** Wall clock, milliseconds since 1970; may jump either way. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never goes back, does not survive a restart. */
  monotonicMs(): number;
};

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
