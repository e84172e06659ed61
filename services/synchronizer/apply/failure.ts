import { DualhomeError, isDualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';
import type { ResumeOutcome } from '../../protocol/link/frame.ts';
import { isTransactionConflict } from '../../platform/postgres/failures.ts';

/** What a lane does about a failure. */
export type Verdict =
  /** Read the head and go on from it: somebody else moved it, or nobody knows whether it moved. */
  | 'reread'
  /** The database cannot be used now: wait and try again. */
  | 'wait'
  /** Some event of the batch cannot be applied. */
  | 'event'
  /** What the peer holds and what this standby holds do not fit: wait for its log to change. */
  | 'mismatch';

/** Codes of what the peer answers when this standby's position is none to go on from. */
export const mismatchCodes: Readonly<Partial<Record<ResumeOutcome, ErrorCode>>> = {
  'snapshot-needed': 'LINK_SNAPSHOT_NEEDED',
  restored: 'LINK_PEER_RESTORED',
  replaced: 'LINK_INCARNATION_REPLACED',
  forked: 'LINK_FORKED',
  'not-sent': 'LINK_LOG_NOT_SENT',
};

/** Codes of events that cannot be applied. */
export const eventCodes: readonly ErrorCode[] = ['EVENT_UNREADABLE', 'LINK_EVENT_REFUSED', 'LOG_BROKEN'];

const mismatches: ReadonlySet<ErrorCode> = new Set(Object.values(mismatchCodes));

/** Every failure has a verdict: what is not known to pass is put down to the event. */
export function judge(error: unknown): Verdict {
  if (isTransactionConflict(error)) return 'reread';
  if (!isDualhomeError(error)) return 'event';
  if (error.code === 'LOG_FENCED' || error.code === 'POSTGRES_COMMIT_UNKNOWN') return 'reread';
  if (mismatches.has(error.code)) return 'mismatch';
  return eventCodes.includes(error.code) ? 'event' : 'wait';
}

/** The failure under a registered code. */
export function asRegistered(error: unknown): DualhomeError {
  if (isDualhomeError(error)) return error;
  return new DualhomeError('LINK_EVENT_REFUSED', { detail: messageOf(error), cause: error });
}
