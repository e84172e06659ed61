import { listenToProcess } from '../platform/lifecycle/process-events.ts';
import { DualhomeError, messageOf } from '../protocol/errors/index.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * Runs `work` with a signal that Ctrl-C, SIGTERM or the end of our parent aborts. A second Ctrl-C ends the process at
 * once; what it has started stops by itself.
 *
 * @throws CLI_INTERRUPTED as the signal's reason
 */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  using _listeners = listenToProcess({
    onStop: () => interrupted.abort(new DualhomeError('CLI_INTERRUPTED')),
    onForce: () => process.exit(exitCodes.failed),
    onDefect: (error) => {
      process.stderr.write(`${messageOf(error)}\n`);
      process.exit(exitCodes.failed);
    },
  });
  return await work(interrupted.signal);
}
