import type { Position } from '../protocol/position.ts';
import type { Origin } from './origin.ts';

/** What is known of a log when its writer starts. */
export type LogEvidence = {
  readonly head: Position;
  readonly server: Origin;
  /** Where the log was last written; undefined where never as a home. */
  readonly recorded: Origin | undefined;
  /** The position witnessed outside the database. */
  readonly witness: Position | undefined;
  /** Hash of the log at the witness's seq; undefined where it does not reach that far or that seq is 0. */
  readonly hashAtWitness: Buffer | undefined;
};

/** `new`: nothing was ever written. `continued`: it may be written on. Otherwise why it must not be. */
export type LogVerdict = 'new' | 'continued' | { readonly restored: string };

/** Whether a log is the one that was written before, whole, or an older state of it that was put back. */
export function judgeLog({ head, server, recorded, witness, hashAtWitness }: LogEvidence): LogVerdict {
  const never = head.seq === 0;
  if (witness && witness.seq > head.seq) {
    return { restored: `It ends at ${head.seq}, but was seen to reach ${witness.seq}.` };
  }
  if (never && !recorded) return 'new';
  if (!recorded) return { restored: `It holds ${head.seq} events, but was never written here.` };
  if (recorded.systemIdentifier !== server.systemIdentifier) {
    return { restored: 'It is in another data directory than the one it was written in.' };
  }
  if (recorded.timeline !== server.timeline) {
    return {
      restored: `Its server is on timeline ${server.timeline}, not ${recorded.timeline}: it was recovered or promoted.`,
    };
  }
  if (witness && witness.seq > 0 && !hashAtWitness?.equals(witness.hash)) {
    return { restored: `Its event ${witness.seq} is not the one that was seen before.` };
  }
  return 'continued';
}
