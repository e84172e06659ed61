import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { JobKind, JobProgress, JobRequest, JobState } from '../../protocol/rest/jobs.ts';
import type { LogName } from '../../protocol/names.ts';
import type { Database } from '../../platform/postgres/database.ts';

/** One attempt of a job: what it is to do, and the fence under which it may write. */
export type JobAttempt = {
  readonly id: string;
  readonly kind: JobKind;
  readonly peer: string;
  readonly log: LogName;
  readonly scope: Scope;
  readonly attempts: number;
  readonly fence: number;
};

/** How an attempt ended; `queued` with a wait stands for "again, later". */
export type JobEnd = {
  readonly state: JobState;
  readonly waitMs: number;
  readonly result: object | null;
  readonly error: object | null;
};

/**
 * Jobs in `site.jobs`. Invariant: what an attempt writes takes effect only while its fence is the
 * job's newest, so an attempt that was given up for dead changes nothing.
 */
export class JobStore {
  readonly #shared: Database;

  constructor(shared: Database) {
    this.#shared = shared;
  }

  /** Adds a job unless one with this id exists, which makes asking twice harmless. */
  async insert(id: string, request: JobRequest, requestedBy: string): Promise<void> {
    const { kind, peer, log, scope, reason } = request;
    await this.#shared.query(
      `insert into site.jobs (id, kind, peer, log, scope, requested_by, reason)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing`,
      [id, kind, peer, log, scope, requestedBy, reason],
    );
  }

  /** Puts jobs left running by a synchronizer that is gone back into the queue; says how many. */
  async requeueRunning(): Promise<number> {
    const { rowCount } = await this.#shared.query(
      `update site.jobs set state = 'queued', fence = fence + 1, next_attempt_at = now() where state = 'running'`,
    );
    return rowCount;
  }

  /** Jobs whose attempt is due, oldest first. */
  async due(limit: number): Promise<readonly JobAttempt[]> {
    const { rows } = await this.#shared.query<JobAttempt>(
      `select id, kind, peer, log, scope, attempts, fence from site.jobs
       where state = 'queued' and next_attempt_at <= now() and not cancel_requested
       order by created_at limit $1`,
      [limit],
    );
    return rows;
  }

  /** Begins an attempt; undefined where someone else was faster. */
  async begin(job: JobAttempt): Promise<JobAttempt | undefined> {
    const { rows } = await this.#shared.query<JobAttempt>(
      `update site.jobs
       set state = 'running', fence = fence + 1, attempts = attempts + 1, phase = 'starting',
           started_at = coalesce(started_at, now())
       where id = $1 and fence = $2 and state = 'queued' and not cancel_requested
       returning id, kind, peer, log, scope, attempts, fence`,
      [job.id, job.fence],
    );
    return rows[0];
  }

  /** @throws JOB_FENCED */
  async progress(job: JobAttempt, phase: string, progress: JobProgress): Promise<void> {
    const { rowCount } = await this.#shared.query(
      `update site.jobs set phase = $3, progress = $4 where id = $1 and fence = $2 and state = 'running'`,
      [job.id, job.fence, phase, progress],
    );
    if (rowCount === 0) throw new DualhomeError('JOB_FENCED', { facts: { job: job.id } });
  }

  /** Records how the attempt ended; without effect where a newer attempt has begun. */
  async end(job: JobAttempt, { state, waitMs, result, error }: JobEnd): Promise<void> {
    await this.#shared.query(
      `update site.jobs
       set state = $3, result = $4, error = $5, next_attempt_at = now() + $6 * interval '1 ms',
           ended_at = case when $3 = 'queued' then null else now() end
       where id = $1 and fence = $2 and state = 'running'`,
      [job.id, job.fence, state, result, error, waitMs],
    );
  }

  /** Ends jobs that were cancelled while no attempt ran. */
  async endCancelled(): Promise<void> {
    await this.#shared.query(
      `update site.jobs set state = 'cancelled', ended_at = now() where state = 'queued' and cancel_requested`,
    );
  }

  /** Of these jobs, the ones an operator wants ended. */
  async cancelRequested(ids: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.#shared.query<{ id: string }>(
      'select id from site.jobs where cancel_requested and id = any($1::uuid[])',
      [ids],
    );
    return rows.map(({ id }) => id);
  }

  async requestCancel(id: string): Promise<void> {
    await this.#shared.query(
      `update site.jobs set cancel_requested = true where id = $1 and state in ('queued', 'running')`,
      [id],
    );
  }

  async read<R extends Record<string, unknown>>(id: string): Promise<R | undefined> {
    const { rows } = await this.#shared.query<R>(
      'select id, state, phase, progress, result, error from site.jobs where id = $1',
      [id],
    );
    return rows[0];
  }

  /** Whether a job of this kind for this peer is open, or was created within the last `withinMs`. */
  async hasRecent({ kind, peer, log }: JobRequest, withinMs: number): Promise<boolean> {
    const { rowCount } = await this.#shared.query(
      `select from site.jobs
       where kind = $1 and peer = $2 and log = $3
         and (state in ('queued', 'running') or created_at > now() - $4 * interval '1 ms') limit 1`,
      [kind, peer, log, withinMs],
    );
    return rowCount > 0;
  }

  /** Rows a second of the last transfer that was done; undefined before the first. */
  async measuredRate(): Promise<number | undefined> {
    const { rows } = await this.#shared.query<{ rate: number | null }>(
      `select (progress->>'rowsPerSecond')::float8 as rate from site.jobs
       where kind in ('resync', 'pull') and state = 'done' and (progress->>'rowsDone')::bigint > 1000
       order by ended_at desc limit 1`,
    );
    return rows[0]?.rate ?? undefined;
  }
}
