import { hash as hashOf } from 'node:crypto';

/**
 * A point of a log: everything up to `seq`, proven by `hash`, within `incarnation`.
 * Two logs that agree on a position agree on every event up to it.
 */
export type Position = { readonly incarnation: string; readonly seq: number; readonly hash: Buffer };

/** The hash before the first event. */
export const genesisHash: Buffer = Buffer.alloc(32);

/** `SHA-256(previous hash || body)`: the link of the chain that event `body` adds. */
export function chainHash(previous: Buffer, body: Buffer): Buffer {
  return hashOf('sha256', Buffer.concat([previous, body]), 'buffer');
}

/** Whether two positions are the same point of the same history. */
export function samePosition(a: Position, b: Position): boolean {
  return a.incarnation === b.incarnation && a.seq === b.seq && a.hash.equals(b.hash);
}

/** A position as a person reads it: `1,204 (3f9a0c1d, incarnation 0b3c)`. */
export function describePosition({ incarnation, seq, hash }: Position): string {
  return `${seq.toLocaleString('en-US')} (${hash.toString('hex', 0, 4)}, incarnation ${incarnation.slice(0, 4)})`;
}
