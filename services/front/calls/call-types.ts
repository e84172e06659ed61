import type { Destination, Found } from '../../protocol/dispatch/call.ts';
import type { Refused } from '../../protocol/dispatch/common.ts';
import type { Forwarding } from './history-info.ts';
import type { Chain, FlowTarget, PeerTarget, SendTarget } from './target.ts';

/** How long a next hop or peer may be silent, and a device that is registered elsewhere too, before the next is tried. */
export const silenceMs = 2_000;

/** What became of a destination that was looked up. */
export type Located =
  | { readonly kind: 'devices'; readonly found: Found; readonly chains: readonly Chain[] }
  | { readonly kind: 'outward'; readonly chain: Chain }
  | { readonly kind: 'nowhere'; readonly refusal: Refused };

/** `R` is a response as its program has it. */
export type CallInput<R> =
  | { readonly kind: 'response'; readonly branch: number; readonly status: number; readonly response: R }
  /** The client transaction's Timer B or F. */
  | { readonly kind: 'timeout'; readonly branch: number }
  /** It could not be sent, or not be sent anywhere. */
  | { readonly kind: 'unsendable'; readonly branch: number }
  /** The fork's timer of the branch. */
  | { readonly kind: 'timer'; readonly branch: number }
  /** Nothing came back in `silenceMs`. */
  | { readonly kind: 'silent'; readonly branch: number }
  /** The callee's devices have rung for as long as he wants. */
  | { readonly kind: 'not-answered'; readonly party: number }
  | { readonly kind: 'located'; readonly branch: number; readonly located: Located }
  /** A device registered at this moment, under an address of record that may be one called here. */
  | { readonly kind: 'registered'; readonly target: FlowTarget | PeerTarget }
  | { readonly kind: 'cancel' };

export type CallOutput<R> =
  | {
      readonly kind: 'forward';
      readonly branch: number;
      readonly target: SendTarget;
      readonly forwardings: readonly Forwarding[];
    }
  | { readonly kind: 'locate'; readonly branch: number; readonly destination: Destination }
  | { readonly kind: 'cancel' | 'quieten'; readonly branch: number }
  | { readonly kind: 'relay'; readonly branch: number; readonly response: R }
  /** The final response; without `response` it is made here. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly reason: string | undefined;
      readonly response: R | undefined;
      readonly challenges: readonly R[];
    }
  | {
      readonly kind: 'set-timer';
      readonly branch: number;
      readonly timer: 'fork' | 'silence';
      readonly ms: number;
    }
  | { readonly kind: 'clear-timer'; readonly branch: number; readonly timer: 'fork' | 'silence' }
  | { readonly kind: 'set-no-answer'; readonly party: number; readonly ms: number };
