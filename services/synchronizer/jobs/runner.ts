import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import type { JobKind } from '../../protocol/rest/jobs.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { JobAttempt, JobStore } from '../store/job-store.ts';
import { locksOf, startable } from './locks.ts';
import { endOf } from './outcome.ts';
import type { AttemptOutcome } from './outcome.ts';
import { progressOf } from './progress.ts';
import type { Counted } from './progress.ts';

/** What a job's work is given. */
export type JobContext = {
  /** Aborts on cancellation, on stop, and when a newer attempt has begun. */
  readonly signal: AbortSignal;
  /** Says what is being done; shown at once. */
  readonly phase: (name: string) => void;
  /** Says how far it is; written at most every half second. */
  readonly count: (counted: Counted) => void;
};

/** Does a job of one kind; may be called again after any failure and goes on or begins anew. */
export type JobWork = (job: JobAttempt, context: JobContext) => Promise<object>;

const jobsMax = 4;
const pollMs = 1_000;
const writeMs = 500;

type Running = { readonly job: JobAttempt; readonly stop: AbortController; readonly ended: Promise<void> };

/**
 * Works off the jobs of this site. The table is the truth: `wake` only shortens the wait until the
 * next look.
 *
 * Invariant: a job runs at most once in this process, and none beside another that needs the same
 * copy; every attempt ends in the table, or is put back by the next start.
 */
export class JobRunner implements AsyncDisposable {
  readonly #store: JobStore;
  readonly #works: Readonly<Record<JobKind, JobWork>>;
  readonly #log: Logger;
  readonly #state = new RunningState();
  readonly #running = new Map<string, Running>();
  readonly #looping: Promise<void>;
  #woken = false;
  #endPause: () => void = () => undefined;

  constructor(store: JobStore, works: Readonly<Record<JobKind, JobWork>>, log: Logger) {
    this.#store = store;
    this.#works = works;
    this.#log = log;
    this.#looping = this.#loop();
  }

  /** Look now: something in the table may have changed. */
  wake(): void {
    this.#woken = true;
    this.#endPause();
  }

  /** Stops the attempts, which go back into the queue, and waits for their ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#state.stop();
    this.wake();
    await this.#looping;
    for (const { stop } of this.#running.values()) stop.abort(new DualhomeError('JOB_INTERRUPTED'));
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #loop(): Promise<void> {
    let requeued = false;
    while (this.#state.running) {
      try {
        if (!requeued) await this.#store.requeueRunning();
        requeued = true;
        await this.#look();
        this.#state.succeeded();
        await this.#pause();
      } catch (error) {
        this.#log.warn({ err: error }, 'jobs cannot be read');
        await this.#state.backoff();
      }
    }
  }

  async #look(): Promise<void> {
    await this.#store.endCancelled();
    for (const id of await this.#store.cancelRequested([...this.#running.keys()])) {
      this.#running.get(id)?.stop.abort(new DualhomeError('JOB_CANCELLED'));
    }
    const held = new Set([...this.#running.values()].flatMap(({ job }) => locksOf(job)));
    const due = await this.#store.due(64);
    for (const job of startable(due, held, jobsMax - this.#running.size)) {
      const attempt = await this.#store.begin(job);
      if (attempt) this.#start(attempt);
    }
  }

  #start(job: JobAttempt): void {
    const stop = new AbortController();
    const ended = this.#attempt(job, stop)
      .catch((error: unknown) =>
        this.#log.warn({ err: error, job: job.id }, 'the end of a job was not recorded'),
      )
      .finally(() => {
        this.#running.delete(job.id);
        this.wake();
      });
    this.#running.set(job.id, { job, stop, ended });
  }

  async #attempt(job: JobAttempt, stop: AbortController): Promise<void> {
    this.#log.info({ job: job.id, kind: job.kind, peer: job.peer, attempt: job.attempts }, 'job begins');
    const writer = new ProgressWriter(this.#store, job, (error) => stop.abort(error));
    let outcome: AttemptOutcome;
    try {
      const result = await this.#works[job.kind](job, { signal: stop.signal, ...writer.hooks });
      outcome = { kind: 'done', result };
    } catch (error) {
      outcome = outcomeOf(error, stop.signal);
    } finally {
      await writer.flush();
    }
    const end = endOf(outcome, job.attempts, Math.random());
    await this.#store.end(job, end);
    this.#log.info({ job: job.id, kind: job.kind, peer: job.peer, ...end }, `job ${end.state}`);
  }

  async #pause(): Promise<void> {
    const timer = setTimeout(() => this.wake(), pollMs);
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      if (this.#woken) resolve();
    });
    clearTimeout(timer);
    this.#woken = false;
  }
}

function outcomeOf(error: unknown, signal: AbortSignal): AttemptOutcome {
  if (isDualhomeError(signal.reason, 'JOB_CANCELLED')) return { kind: 'cancelled' };
  if (isDualhomeError(signal.reason, 'JOB_INTERRUPTED')) return { kind: 'interrupted' };
  return { kind: 'failed', error };
}

/** Writes phase and progress, one write at a time, the newest state last. */
class ProgressWriter {
  readonly #store: JobStore;
  readonly #job: JobAttempt;
  readonly #onFenced: (error: unknown) => void;
  readonly #startedMs = performance.now();
  #phase = 'starting';
  #counted: Counted = { rowsDone: 0, bytesDone: 0, rowsTotal: null, bytesTotal: null };
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: JobStore, job: JobAttempt, onFenced: (error: unknown) => void) {
    this.#store = store;
    this.#job = job;
    this.#onFenced = onFenced;
  }

  readonly hooks = {
    phase: (name: string): void => {
      this.#phase = name;
      this.#write();
    },
    count: (counted: Counted): void => {
      this.#counted = counted;
      this.#timer ??= setTimeout(() => this.#write(), writeMs);
    },
  };

  async flush(): Promise<void> {
    if (this.#timer) this.#write();
    await this.#writing;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const progress = progressOf(this.#counted, performance.now() - this.#startedMs);
    this.#writing = this.#writing
      .then(() => this.#store.progress(this.#job, this.#phase, progress))
      .catch((error: unknown) => {
        if (isDualhomeError(error, 'JOB_FENCED')) this.#onFenced(error);
      });
  }
}
