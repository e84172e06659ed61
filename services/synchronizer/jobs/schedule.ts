import { randomUUID } from 'node:crypto';
import { wholeScope } from '../../protocol/scope.ts';
import type { SynchronizerConfig } from '../../protocol/program-config.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { JobStore } from '../store/job-store.ts';

const lookMs = 5_000;

/**
 * Adds the jobs that start by themselves. A job is due when the last of its kind for the peer was
 * created longer ago than its interval, so a restart neither repeats nor forgets one.
 */
export function startSchedule(
  { schedules, peers }: Pick<SynchronizerConfig, 'schedules' | 'peers'>,
  store: JobStore,
  log: Logger,
): Disposable {
  const sending = peers.filter(({ sends }) => sends).map(({ name }) => name);
  const look = async () => {
    for (const { job: kind, everyMs } of schedules) {
      for (const peer of sending) {
        if (await store.hasRecent(kind, peer, everyMs)) continue;
        const request = { kind, peer, log: 'configuration', scope: wholeScope, reason: 'scheduled' } as const;
        await store.insert(randomUUID(), request, 'schedule');
      }
    }
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => log.warn({ err: error }, 'scheduled jobs cannot be added'));
  }, lookMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
