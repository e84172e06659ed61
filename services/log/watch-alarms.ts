import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../platform/postgres/listen.ts';

/** Notifications may be lost; looking again this often is what is relied on. */
const POLL_MS = 1_000;

export type AlarmWatchOptions = {
  /** URL of `shared`. */
  readonly url: string;
  readonly applicationName: string;
  readonly check: () => Promise<void>;
  /** Told of a check that failed, once until one succeeds. */
  readonly onError: (error: unknown) => void;
};

/** Calls `check` when an alarm was raised or cleared, and each second, until disposed of. */
export function watchAlarms({ url, applicationName, check, onError }: AlarmWatchOptions): AsyncDisposable {
  const stopping = new AbortController();
  let wake = Promise.withResolvers<void>();
  const listener = listen({
    url,
    applicationName: `${applicationName} alarms`,
    channels: ['dualhome_alarms'],
    onNotify: () => wake.resolve(),
  });
  const done = run();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      wake.resolve();
      await done;
      await listener[Symbol.asyncDispose]();
    },
  };

  async function run(): Promise<void> {
    let failing = false;
    while (!stopping.signal.aborted) {
      wake = Promise.withResolvers();
      try {
        await check();
        failing = false;
      } catch (error) {
        if (!failing) onError(error);
        failing = true;
      }
      const tick = new AbortController();
      const pause = sleep(POLL_MS, undefined, { signal: tick.signal }).catch(() => undefined);
      await Promise.race([wake.promise, pause]);
      tick.abort();
    }
  }
}
