/** Never pruned, whatever the limits: the newest events, by which restarts and restored databases are recognised. */
const eventsMin = 1_000;

export type RetentionFacts = {
  readonly head: number;
  /** About what an event takes. */
  readonly bytesPerEvent: number;
  /** The last event older than the age limit; 0 without one. */
  readonly aged: number;
  /** The last event the audit does not ask for any more; the head without such a wish. */
  readonly audited: number;
  /** The last event that every peer has durably applied. */
  readonly applied: number;
  /** The last event that no work under way needs. */
  readonly unreserved: number;
};

/**
 * Up to where a log is pruned: by age only what every peer has; beyond the limit of bytes also what a peer lacks,
 * which then needs a resync. Reservations and the audit are kept to in any case. Pure.
 */
export function pruneTo(
  { head, bytesPerEvent, aged, audited, applied, unreserved }: RetentionFacts,
  bytesMax: number,
): number {
  const overflowing = head - Math.floor(bytesMax / bytesPerEvent);
  const wanted = Math.max(overflowing, Math.min(aged, applied));
  return Math.max(0, Math.min(wanted, audited, unreserved, head - eventsMin));
}
