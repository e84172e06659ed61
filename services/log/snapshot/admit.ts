import { DualhomeError } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';
import type { SnapshotHeader } from '../../protocol/manifest.ts';
import type { Position } from '../../protocol/position.ts';
import { isWhole } from '../../protocol/scope.ts';
import type { Base } from '../held.ts';

/** What a standby knows of itself when a snapshot is offered to it. */
export type StandbyState = {
  readonly head: Position;
  /** Behind this point it holds every event. */
  readonly base: Base;
  /** Hash of its log at the snapshot's seq; undefined where it does not hold that event. */
  readonly hashThere: Buffer | undefined;
};

/**
 * `advance`: the snapshot is ahead and the head goes to its point. `roll-forward`: the standby is ahead
 * and the snapshot is brought up to it. `wait`: a part is replaced only once the standby has reached it.
 */
export type Admission = 'advance' | 'roll-forward' | 'wait';

/**
 * Whether a snapshot may replace what a standby holds. Pure.
 *
 * Invariant: what a standby knows is never exchanged for less, or for another history: it is replaced only by a state
 * of the same incarnation, or of a history that is proven to be its own by the hash at the snapshot's seq.
 *
 * @throws TRANSFER_HOME_EMPTY, TRANSFER_OTHER_INCARNATION, TRANSFER_FORKED, TRANSFER_OUTDATED
 */
export function admit(header: SnapshotHeader, { head, base, hashThere }: StandbyState): Admission {
  const { incarnation, seq, hash, scope } = header;
  const refuse = (code: ErrorCode): never => {
    throw new DualhomeError(code, {
      detail: `The snapshot is at ${seq} of incarnation ${incarnation}, the standby at ${head.seq} of ${head.incarnation}.`,
      facts: { snapshot: { incarnation, seq }, standby: { incarnation: head.incarnation, seq: head.seq } },
    });
  };
  if (seq === 0 && head.seq > 0) return refuse('TRANSFER_HOME_EMPTY');
  if (head.seq === 0) return isWhole(scope) ? 'advance' : 'wait';
  if (seq > head.seq) {
    if (incarnation !== head.incarnation) return refuse('TRANSFER_OTHER_INCARNATION');
    return isWhole(scope) ? 'advance' : 'wait';
  }
  const there = seq === head.seq ? head.hash : seq === base.seq ? base.hash : hashThere;
  if (there?.toString('hex') === hash) return seq < base.seq ? refuse('TRANSFER_OUTDATED') : 'roll-forward';
  if (incarnation !== head.incarnation) return refuse('TRANSFER_OTHER_INCARNATION');
  return refuse(there ? 'TRANSFER_FORKED' : 'TRANSFER_OUTDATED');
}
