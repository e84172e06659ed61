import type { BestResponse, BranchResult } from './best-response.ts';

/** One target the request was forwarded to. */
export type Branch<T, R> = {
  readonly id: number;
  readonly target: T;
  /** Ended: its client transaction will bring nothing more but 2xx responses. */
  readonly state: 'calling' | 'proceeding' | 'ended';
  /** A CANCEL must wait for a provisional response (RFC 3261 section 9.1). */
  readonly cancel: 'no' | 'wanted' | 'sent';
  /** Set when the branch no longer holds up the others: it ended, or was abandoned. */
  readonly result?: BranchResult<R> | undefined;
};

/**
 * The response context of RFC 3261 section 16.7: a request forwarded to groups of targets, one group after the other,
 * the targets of a group at once. `T` is a target, `R` a response.
 */
export type Fork<T, R> = {
  readonly isInvite: boolean;
  readonly waiting: readonly (readonly T[])[];
  readonly branches: readonly Branch<T, R>[];
  readonly isCancelled: boolean;
  /** A final response has gone upstream; only further 2xx responses to INVITE follow it. */
  readonly isAnswered: boolean;
};

export type ForkInput<T, R> =
  | { readonly kind: 'response'; readonly branch: number; readonly status: number; readonly response: R }
  /** The client transaction's Timer B or F. */
  | { readonly kind: 'timeout'; readonly branch: number }
  | { readonly kind: 'transport-error'; readonly branch: number }
  /** The branch's timer that was set: Timer C, or the wait for the answer to a CANCEL. */
  | { readonly kind: 'timer'; readonly branch: number }
  /** The branch is not waited for any longer: silent, or not answered. Whether it still answers is seen. */
  | { readonly kind: 'abandon'; readonly branch: number }
  /** CANCEL came from upstream. */
  | { readonly kind: 'cancel' }
  /** A target became known while others are being tried. */
  | { readonly kind: 'add'; readonly target: T };

export type ForkOutput<T, R> =
  | { readonly kind: 'forward'; readonly branch: number; readonly target: T }
  | { readonly kind: 'cancel'; readonly branch: number }
  /** The INVITE is not to be sent again: another branch is taken, and nothing came back from this one yet. */
  | { readonly kind: 'quieten'; readonly branch: number }
  /** A 101-199, or a 2xx, goes upstream as it is. */
  | { readonly kind: 'relay'; readonly branch: number; readonly response: R }
  /** The chosen final response; without `response` it is to be made here. */
  | ({ readonly kind: 'answer' } & BestResponse<R>)
  /** Sets the branch's only timer, moving it if it runs. */
  | { readonly kind: 'set-timer'; readonly branch: number; readonly ms: number }
  | { readonly kind: 'clear-timer'; readonly branch: number };
