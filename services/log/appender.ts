import { DualhomeError } from '../protocol/errors/index.ts';
import { isDualhomeError } from '../protocol/errors/index.ts';
import { samePosition } from '../protocol/position.ts';
import type { TableChange } from '../model/table.ts';
import { RunningState } from '../platform/lifecycle/backoff.ts';
import { failpoint } from '../platform/lifecycle/failpoint.ts';
import type { Queryable } from '../platform/postgres/statement.ts';
import { commitRun } from './commit-run.ts';
import type { Run } from './event.ts';
import { readHead } from './head.ts';
import { KeptSession } from './kept-session.ts';

export type AppenderOptions = {
  /** Database whose log is written, as the role that may. */
  readonly url: string;
  /** Schema of the log, where it is not the default one. */
  readonly schema?: string | undefined;
  readonly applicationName: string;
  /** NOTIFYed of each run with the seq it ends at. */
  readonly channel: string;
  /** Gives up what is not settled. */
  readonly signal: AbortSignal;
  /** Told of each failure that is being dealt with. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
};

const settleBackoff = { initialMs: 20, maxMs: 1_000, factor: 2, jitter: 0.5 };

/** Time for a backend that was given up to end. */
const BACKEND_END_MS = 5_000;

/**
 * Writes runs, one after the other.
 *
 * Invariant: `append` returns when the run is durable and throws when it is not and never will be. A COMMIT with
 * unknown outcome is settled before anything else is written: the old backend is ended, then the head tells.
 */
export class Appender implements AsyncDisposable {
  readonly #options: AppenderOptions;
  readonly #session: KeptSession;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#session = new KeptSession(options);
  }

  /**
   * @throws LOG_FENCED when another process has written the log; POSTGRES_COMMIT_UNKNOWN when given up by the signal;
   * what the database refused otherwise, with nothing written
   */
  async append(run: Run, changes: readonly TableChange[]): Promise<void> {
    const notify = { channel: this.#options.channel, text: String(run.to.seq) };
    let backend = 0;
    for (;;) {
      try {
        const session = await this.#session.open();
        backend = session.processId;
        await commitRun(session, run, changes, {
          notify,
          beforeCommit: () => failpoint('append.before-commit'),
        });
        failpoint('append.after-commit');
        return;
      } catch (error) {
        if (!isOutcomeOpen(error)) throw error;
        this.#options.onTrouble?.(error);
        if (await this.#isDurable(run, backend)) return;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  /** Whether the run whose outcome is open took effect; asks until the database answers. @throws LOG_FENCED */
  async #isDurable(run: Run, backend: number): Promise<boolean> {
    const state = new RunningState({ parent: this.#options.signal, policy: settleBackoff });
    while (state.running) {
      try {
        const session = await this.#session.open();
        if (session.processId !== backend) {
          await endBackend(session, backend, this.#options.applicationName);
          const head = await readHead(session);
          if (samePosition(head, run.to)) return true;
          if (samePosition(head, run.from)) return false;
          throw new DualhomeError('LOG_FENCED', {
            detail: `The head of the log is at ${head.seq}, neither before nor after what was written here.`,
            facts: { seq: head.seq },
          });
        }
        await this.#session.drop();
      } catch (error) {
        if (isDualhomeError(error, 'LOG_FENCED')) throw error;
        this.#options.onTrouble?.(error);
        await state.backoff();
      }
    }
    throw new DualhomeError('POSTGRES_COMMIT_UNKNOWN', { facts: { seq: run.to.seq } });
  }
}

/** Whether a failure says nothing about what the database did or will do. */
function isOutcomeOpen(error: unknown): boolean {
  return isDualhomeError(error, 'POSTGRES_COMMIT_UNKNOWN') || isDualhomeError(error, 'POSTGRES_UNREACHABLE');
}

/** Ends a backend that may still be working on what it was sent, and waits until it is gone. */
async function endBackend(queryable: Queryable, backend: number, applicationName: string): Promise<void> {
  const { rows } = await queryable.query<{ ended: boolean }>(
    `select pg_terminate_backend(pid, $3) as ended from pg_stat_activity
     where pid = $1 and application_name = $2`,
    [backend, applicationName, BACKEND_END_MS],
  );
  if (rows.some(({ ended }) => !ended)) {
    throw new DualhomeError('POSTGRES_TIMEOUT', { detail: `Backend ${backend} does not end.` });
  }
}
