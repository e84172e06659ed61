import type { Position } from '../protocol/position.ts';
import { chainHash } from '../protocol/position.ts';

/** An event as it is stored, sent, applied and verified: nothing re-encodes `body`. */
export type LoggedEvent = { readonly timeMs: number; readonly body: Buffer };

/** Consecutive events with the hash of the chain after each, and the positions before and after them. */
export type Run = {
  readonly from: Position;
  readonly to: Position;
  readonly events: readonly LoggedEvent[];
  readonly hashes: readonly Buffer[];
};

/** Continues the chain at `from` with `events`; `incarnation` is the one the last event belongs to. */
export function chainRun(
  from: Position,
  events: readonly LoggedEvent[],
  incarnation = from.incarnation,
): Run {
  let hash = from.hash;
  const hashes = events.map(({ body }) => (hash = chainHash(hash, body)));
  return { from, to: { incarnation, seq: from.seq + events.length, hash }, events, hashes };
}
