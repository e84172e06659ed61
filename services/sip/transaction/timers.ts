/** The three values every transaction timer derives from (RFC 3261 section 17.1.1.1 and table 4). */
export type TimerValues = {
  /** Round-trip time estimate. */
  readonly t1Ms: number;
  /** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
  readonly t2Ms: number;
  /** How long a message may remain in the network. */
  readonly t4Ms: number;
};

export const defaultTimers: TimerValues = { t1Ms: 500, t2Ms: 4_000, t4Ms: 5_000 };

/**
 * Timers of RFC 3261 table 4 and RFC 6026 (L, M), without the proxy's Timer C; `100` is the 200 ms within which
 * the user of an INVITE server transaction must answer or a 100 is sent for him (section 17.2.1).
 */
export const timerNames = ['A', 'B', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', '100'] as const;
export type TimerName = (typeof timerNames)[number];

type Rule = (values: TimerValues, isReliable: boolean) => number | undefined;

const retransmission: Rule = ({ t1Ms }, isReliable) => (isReliable ? undefined : t1Ms);
const patience: Rule = ({ t1Ms }) => 64 * t1Ms;

const rules: Readonly<Record<TimerName, Rule>> = {
  A: retransmission,
  B: patience,
  D: ({ t1Ms }, isReliable) => (isReliable ? 0 : Math.max(32_000, 64 * t1Ms)),
  E: retransmission,
  F: patience,
  G: retransmission,
  H: patience,
  I: ({ t4Ms }, isReliable) => (isReliable ? 0 : t4Ms),
  J: ({ t1Ms }, isReliable) => (isReliable ? 0 : 64 * t1Ms),
  K: ({ t4Ms }, isReliable) => (isReliable ? 0 : t4Ms),
  L: patience,
  M: patience,
  '100': () => 200,
};

/** What a timer is first set to; 0 fires at once, undefined is never set over this transport. */
export function timerMs(name: TimerName, values: TimerValues, isReliable: boolean): number | undefined {
  return rules[name](values, isReliable);
}

/** What a retransmission timer is set to after it fired: twice as long, E and G up to T2. */
export function nextIntervalMs(name: TimerName, previousMs: number, values: TimerValues): number {
  return name === 'A' ? 2 * previousMs : Math.min(2 * previousMs, values.t2Ms);
}
