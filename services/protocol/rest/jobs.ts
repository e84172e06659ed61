import { z } from 'zod';
import { LogName, siteNameSchema } from '../names.ts';
import { scopeSchema, wholeScope } from '../scope.ts';

/**
 * What a job does. `resync` pushes this site's state to the peer, `pull` fetches the peer's,
 * `bootstrap` does both, `verify` compares both copies at equal seq, `backfill` fetches the older
 * history of a standby that began with a snapshot, `accept` gives up the copy of a peer for its present history.
 */
export const jobKindSchema = z.enum(['bootstrap', 'resync', 'pull', 'verify', 'backfill', 'accept']);
export type JobKind = z.infer<typeof jobKindSchema>;

export const jobStateSchema = z.enum(['queued', 'running', 'done', 'failed', 'cancelled']);
export type JobState = z.infer<typeof jobStateSchema>;

/** Whether a job in this state has ended for good; only `retry` makes a new attempt of it. */
export const hasEnded = (state: JobState): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled';

/** What an operator asks for. */
export const jobRequestSchema = z.strictObject({
  kind: jobKindSchema,
  peer: siteNameSchema,
  log: z.enum(LogName).default('configuration'),
  scope: scopeSchema.default(wholeScope),
  reason: z.string().max(512).default(''),
});
export type JobRequest = z.infer<typeof jobRequestSchema>;

/** How far a job is. Totals are estimates until the job has counted; null where it cannot tell. */
export const jobProgressSchema = z.object({
  rowsDone: z.int().nonnegative().default(0),
  rowsTotal: z.int().nonnegative().nullable().default(null),
  bytesDone: z.int().nonnegative().default(0),
  bytesTotal: z.int().nonnegative().nullable().default(null),
  rowsPerSecond: z.number().nonnegative().nullable().default(null),
  secondsLeft: z.number().nonnegative().nullable().default(null),
});
export type JobProgress = z.infer<typeof jobProgressSchema>;

const timeSchema = z.iso.datetime();

/** A job as it is shown. `error` is that of the last attempt, also while another is due. */
export const jobSchema = z.object({
  id: z.uuid(),
  ...jobRequestSchema.shape,
  state: jobStateSchema,
  phase: z.string().nullable(),
  progress: jobProgressSchema,
  attempts: z.int().nonnegative(),
  cancelRequested: z.boolean(),
  requestedBy: z.string(),
  result: z.record(z.string(), z.unknown()).nullable(),
  error: z
    .object({ code: z.string(), message: z.string(), action: z.string(), retry: z.string() })
    .nullable(),
  createdAt: timeSchema,
  startedAt: timeSchema.nullable(),
  nextAttemptAt: timeSchema,
  endedAt: timeSchema.nullable(),
});
export type Job = z.infer<typeof jobSchema>;

export const jobListQuerySchema = z.object({
  /** Only jobs in this state. */
  state: jobStateSchema.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
});

/** Jobs, newest first. */
export const jobListSchema = z.object({ jobs: z.array(jobSchema) });

/** What a transfer would do, before it does it. Answered by the synchronizer at GET /preview?job=<the request as JSON>. */
export const jobPreviewSchema = z.object({
  directions: z.array(
    z.object({
      log: z.enum(LogName),
      from: siteNameSchema,
      to: siteNameSchema,
      rows: z.int().nonnegative(),
      /** Bytes of the tables' text, before compression. */
      bytes: z.int().nonnegative(),
      expectedSeconds: z.number().nonnegative(),
      /** Rows the receiving side holds now, which the transfer replaces. */
      replacesRows: z.int().nonnegative().nullable(),
    }),
  ),
});
export type JobPreview = z.infer<typeof jobPreviewSchema>;
