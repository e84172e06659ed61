import type { Queryable } from '../../platform/postgres/statement.ts';
import type { JobRequest, JobState } from '../../protocol/rest/jobs.ts';

/** A row of `site.jobs`. */
export type JobRow = JobRequest & {
  readonly id: string;
  readonly state: JobState;
  readonly phase: string | null;
  readonly progress: unknown;
  readonly attempts: number;
  readonly cancel_requested: boolean;
  readonly requested_by: string;
  readonly result: Record<string, unknown> | null;
  readonly error: unknown;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly next_attempt_at: Date;
  readonly ended_at: Date | null;
};

/** Queues a job; its insertion wakes the synchronizer. */
export async function insertJob(
  shared: Queryable,
  id: string,
  { kind, peer, log, scope, reason }: JobRequest,
  requestedBy: string,
): Promise<void> {
  await shared.query(
    `insert into site.jobs (id, kind, peer, log, scope, requested_by, reason) values ($1, $2, $3, $4, $5, $6, $7)`,
    [id, kind, peer, log, scope, requestedBy, reason],
  );
}

export async function readJob(shared: Queryable, id: string): Promise<JobRow | undefined> {
  const { rows } = await shared.query<JobRow>('select * from site.jobs where id = $1', [id]);
  return rows[0];
}

/** Newest first. */
export async function listJobs(
  shared: Queryable,
  state: JobState | undefined,
  limit: number,
): Promise<readonly JobRow[]> {
  const { rows } = await shared.query<JobRow>(
    `select * from site.jobs where $1::text is null or state = $1 order by created_at desc, id limit $2`,
    [state ?? null, limit],
  );
  return rows;
}

/** Asks for the end of a job; without effect on one that has ended. */
export async function requestCancel(shared: Queryable, id: string): Promise<void> {
  await shared.query(
    `update site.jobs set cancel_requested = true where id = $1 and state in ('queued', 'running')`,
    [id],
  );
}

/** Queues a job that has ended once more. Returns whether it had. */
export async function requeue(shared: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await shared.query(
    `update site.jobs
     set state = 'queued', cancel_requested = false, attempts = 0, phase = null, progress = '{}', result = null,
         error = null, next_attempt_at = now(), ended_at = null, fence = fence + 1
     where id = $1 and state in ('done', 'failed', 'cancelled')`,
    [id],
  );
  return rowCount > 0;
}
