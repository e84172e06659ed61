import { randomUUID } from 'node:crypto';
import { LogName } from '../../protocol/names.ts';
import type { JobRequest } from '../../protocol/rest/jobs.ts';
import { wholeScope } from '../../protocol/scope.ts';
import type { SynchronizerConfig } from '../../protocol/program-config.ts';
import type { Status } from '../../protocol/status.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { JobStore } from '../store/job-store.ts';
import { dueOf } from './automatic.ts';

const lookMs = 1_000;
/** A job that the state asks for is not asked for again sooner, should it fail. */
const automaticMs = 60_000;

export type ScheduleOptions = {
  readonly config: Pick<SynchronizerConfig, 'schedules' | 'peers'>;
  readonly status: () => Status;
  readonly store: JobStore;
  readonly log: Logger;
  /** Told when a job was added. */
  readonly onAdded: () => void;
};

/**
 * Adds the jobs that start by themselves: those of the schedule, and those that the state asks for. A
 * job is due when the last of its kind for the peer was created longer ago than its interval, so a
 * restart neither repeats nor forgets one.
 */
export class Schedule implements AsyncDisposable {
  readonly #options: ScheduleOptions;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, lookMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { config, status, log } = this.#options;
    try {
      for (const request of dueOf(status())) await this.#add(request, automaticMs);
      for (const { job: kind, everyMs } of config.schedules) {
        for (const { peer, log: of } of sentLogs(config.peers)) {
          const request = { kind, peer, log: of, scope: wholeScope, reason: 'scheduled' } as const;
          await this.#add(request, everyMs);
        }
      }
    } catch (error) {
      log.debug({ err: error }, 'jobs that start by themselves could not be added');
    }
  }

  async #add(request: JobRequest, everyMs: number): Promise<void> {
    const { store, onAdded } = this.#options;
    if (await store.hasRecent(request, everyMs)) return;
    await store.insert(randomUUID(), request, 'schedule');
    onAdded();
  }
}

/** The logs of this site that peers have copies of: registrations all of them. */
function sentLogs(peers: ScheduleOptions['config']['peers']): readonly { peer: string; log: LogName }[] {
  return peers.flatMap(({ name: peer, sends }) => [
    ...(sends ? [{ peer, log: LogName.configuration }] : []),
    { peer, log: LogName.registration },
  ]);
}
