import { DualhomeError, isDualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';
import type { ResumeOutcome } from '../../protocol/link/frame.ts';
import { isTransactionConflict } from '../../platform/postgres/failures.ts';
import { databaseTrouble } from '../database-trouble.ts';

/** What a lane does about a failure. */
export type Verdict =
  /** Wait and begin anew from the head: the database cannot be used now, or nobody knows whether it was moved. */
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

/** Every failure has a verdict. What happened to a batch and is not known to pass is put down to one of its events. */
export function judge(cause: unknown, ofBatch: boolean): Verdict {
  if (isTransactionConflict(cause)) return 'wait';
  if (!isDualhomeError(cause)) return ofBatch ? 'event' : 'wait';
  if (mismatches.has(cause.code)) return 'mismatch';
  return ofBatch && eventCodes.includes(cause.code) ? 'event' : 'wait';
}

/** The failure under a registered code. @throws what is a defect of this program */
export function asRegistered(cause: unknown, ofBatch: boolean): DualhomeError {
  if (isDualhomeError(cause)) return cause;
  if (ofBatch) return new DualhomeError('LINK_EVENT_REFUSED', { detail: messageOf(cause), cause });
  const trouble = databaseTrouble(cause);
  if (trouble) return trouble;
  throw cause;
}
