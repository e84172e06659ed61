import { DualhomeError } from '../protocol/errors/index.ts';

/** Runs `work` with a signal that Ctrl-C or SIGTERM aborts. @throws CLI_INTERRUPTED as the signal's reason */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  const abort = (): void => interrupted.abort(new DualhomeError('CLI_INTERRUPTED'));
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    return await work(interrupted.signal);
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}
