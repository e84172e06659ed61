import { DualhomeError, isDualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { BackoffPolicy } from '../../platform/lifecycle/backoff.ts';
import { backoffMs } from '../../platform/lifecycle/backoff.ts';
import type { JobEnd } from '../store/job-store.ts';

/** Waits between attempts; a defect is tried less often than a known, passing failure. */
const waits: BackoffPolicy = { initialMs: 1_000, maxMs: 60_000, factor: 2, jitter: 0.3 };
const attemptsMax = { known: 10, defect: 3 } as const;

export type AttemptOutcome =
  | { readonly kind: 'done'; readonly result: object }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'interrupted' };

/** What becomes of a job after its `attempts`-th attempt. Every path ends: attempts are bounded. Pure. */
export function endOf(outcome: AttemptOutcome, attempts: number, random: number): JobEnd {
  switch (outcome.kind) {
    case 'done':
      return { state: 'done', waitMs: 0, result: outcome.result, error: null };
    case 'cancelled':
      return {
        state: 'cancelled',
        waitMs: 0,
        result: null,
        error: describe(new DualhomeError('JOB_CANCELLED')),
      };
    case 'interrupted':
      return {
        state: 'queued',
        waitMs: 0,
        result: null,
        error: describe(new DualhomeError('JOB_INTERRUPTED')),
      };
    case 'failed':
      return endOfFailure(outcome.error, attempts, random);
  }
}

function endOfFailure(error: unknown, attempts: number, random: number): JobEnd {
  const described = describe(error);
  const max = isDualhomeError(error) ? attemptsMax.known : attemptsMax.defect;
  const again = described.retry !== 'no' && attempts < max;
  return {
    state: again ? 'queued' : 'failed',
    waitMs: again ? Math.round(backoffMs(waits, attempts, random)) : 0,
    result: null,
    error: described,
  };
}

/** An error as a job keeps it. */
export function describe(error: unknown): {
  readonly code: string;
  readonly message: string;
  readonly action: string;
  readonly retry: string;
} {
  const known = isDualhomeError(error)
    ? error
    : new DualhomeError('JOB_DEFECT', { detail: messageOf(error) });
  const { summary, action, retry } = known.definition;
  return { code: known.code, message: known.detail ?? summary, action, retry };
}
