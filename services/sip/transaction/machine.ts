import type { TimerName } from './timers.ts';

export type State =
  'calling' | 'quiet' | 'trying' | 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

/**
 * What can happen to a transaction. A status class comes from the network to a client transaction and from its
 * user to a server transaction; `request` is a retransmission of the request a server transaction was made for;
 * `quieten` comes from the user of a client transaction that nothing came back to.
 */
export type Event =
  'request' | 'quieten' | 'ACK' | '1xx' | '2xx' | '300-699' | `timer ${TimerName}` | 'transport error';

export type Action =
  /** Sends the client's request; the server's newest response, if there is one. */
  | 'send'
  | 'send ACK'
  | 'send 100'
  /** Hands what happened to the transaction user. */
  | 'pass'
  | 'report timeout'
  | 'report transport error'
  | `${TimerVerb} ${TimerName}`;

/** How a timer is set: first, again to its next interval, again to T2. */
export const timerVerbs = ['start', 'again', 'slow'] as const;
export type TimerVerb = (typeof timerVerbs)[number];

export type Step = readonly [next: State, ...actions: Action[]];

/**
 * A figure of RFC 3261 section 17 as a table. An event a state does not list changes nothing and does nothing.
 * A timer a state does not listen to is stopped when that state is entered.
 */
export type Machine = {
  readonly start: Step;
  readonly states: { readonly [S in State]?: { readonly [E in Event]?: Step } };
};

/** What an event means in a state. */
export function stepOf(machine: Machine, state: State, event: Event): Step | undefined {
  return machine.states[state]?.[event];
}
