import { DualhomeError } from '../../protocol/errors/index.ts';
import { createLogger } from '../logging/logger.ts';
import type { Logger } from '../logging/logger.ts';
import { isAbortOf } from './abort.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { listenToProcess } from './process-events.ts';
import { ResourceStack } from './resource-stack.ts';

/** What the supervisor receives by IPC once a program serves; `facts` are the program's own. */
export type ReadyMessage = {
  readonly type: 'ready';
  readonly program: string;
  readonly pid: number;
  readonly facts: Readonly<Record<string, unknown>>;
};

/** What `main` is given beside its signal and its stack. */
export type Program = {
  /** What is learned later is attached with `log.setBindings({ … })`. */
  readonly log: Logger;
  /** Tells the supervisor, if there is one, that the program serves; `facts` are e.g. its ports. */
  readonly ready: (facts?: Readonly<Record<string, unknown>>) => void;
};

export type ProgramOptions = {
  readonly name: string;
  /**
   * The program's life: acquires onto `stack`, calls `ready`, and returns after `signal` aborted or when its
   * work is done. What it throws decides the exit code, see `exitCodeOf`.
   */
  readonly main: (signal: AbortSignal, stack: ResourceStack, program: Program) => Promise<void>;
  /** From the wish to stop until the process is ended whatever still runs. */
  readonly stopWithinMs?: number | undefined;
};

/**
 * Runs one program in this process. SIGTERM, SIGINT and the death of a parent connected by IPC abort the signal;
 * then the stack is released and the process ends by itself. The same signal a second time, an unhandled
 * rejection or an uncaught exception end it at once.
 */
export async function runProgram({ name, main, stopWithinMs = 10_000 }: ProgramOptions): Promise<void> {
  const log = createLogger({ program: name });
  const stack = new ResourceStack();
  const stopping = new AbortController();
  const lastResort = new LastResort(stopWithinMs, log);

  const stop = (reason: string): void => {
    if (stopping.signal.aborted) return;
    log.info({ reason }, 'stopping');
    lastResort.arm(() => stack.releasing ?? 'main');
    stopping.abort();
  };
  const endNow = (code: ExitCode, facts: object, message: string): void => {
    log.fatal(facts, message);
    process.exit(code);
  };
  const attempt = async (work: () => PromiseLike<void>, failure: string): Promise<ExitCode> => {
    try {
      await work();
      return exitCodes.intended;
    } catch (error) {
      if (isAbortOf(stopping.signal, error)) return exitCodes.intended;
      log.fatal({ err: error }, failure);
      return exitCodeOf(error);
    }
  };

  using _listeners = listenToProcess({
    onStop: stop,
    onForce: (signal) => endNow(exitCodes.failed, { signal }, 'stopping was forced'),
    onDefect: (error) => endNow(exitCodes.failed, { err: error }, 'defect'),
  });
  const ready = (facts = {}): void => reportReady({ type: 'ready', program: name, pid: process.pid, facts });
  const mainCode = await attempt(() => main(stopping.signal, stack, { log, ready }), 'failed');
  lastResort.arm(() => stack.releasing ?? 'an open handle');
  const stackCode = await attempt(() => stack[Symbol.asyncDispose](), 'releasing failed');

  process.exitCode = mainCode || stackCode;
  log.info({ exitCode: process.exitCode }, 'stopped');
}

/** Ends the process when stopping takes longer than its limit; keeps nothing alive itself. */
class LastResort {
  readonly #limitMs: number;
  readonly #log: Logger;
  #armed = false;
  #whatHangs = (): string => '';

  constructor(limitMs: number, log: Logger) {
    this.#limitMs = limitMs;
    this.#log = log;
  }

  /** The time counts from the first call; the newest `whatHangs` names the culprit. */
  arm(whatHangs: () => string): void {
    this.#whatHangs = whatHangs;
    if (!this.#armed) setTimeout(() => this.#end(), this.#limitMs).unref();
    this.#armed = true;
  }

  #end(): void {
    const hung = this.#whatHangs();
    const error = new DualhomeError('LIFECYCLE_STOP_TIMEOUT', {
      detail: `${hung} did not end within ${this.#limitMs} ms`,
      facts: { hung, handles: process.getActiveResourcesInfo() },
    });
    this.#log.fatal({ err: error }, 'stopping took too long');
    process.exit(exitCodes.failed);
  }
}

function reportReady(message: ReadyMessage): void {
  // A supervisor that is gone is noticed by 'disconnect', not here.
  process.send?.(message, undefined, undefined, () => undefined);
}
