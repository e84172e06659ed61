import { setTimeout as sleep } from 'node:timers/promises';
import { isDualhomeError, messageOf } from '../../protocol/errors/index.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { Running } from './running.ts';

export type UnitState = 'starting' | 'running' | 'waiting' | 'refused' | 'stopping' | 'stopped';

/** What is known of one unit; `since` is when it came into its state. */
export type UnitStatus = {
  readonly name: string;
  readonly state: UnitState;
  readonly pid?: number | undefined;
  readonly since: string;
  /** How often it was started anew after it had ended by itself. */
  readonly restarts: number;
  /** How it ended the last time, or why it did not start. */
  readonly lastEnd?: string | undefined;
};

export type UnitOptions = {
  readonly name: string;
  /** Returns when it serves; gives up, leaving nothing behind, when the signal aborts. */
  readonly start: (signal: AbortSignal) => Promise<Running>;
  readonly log: Logger;
  readonly onChange: () => void;
};

/** One that ran this long starts at once after its next end. */
const steadyMs = 30_000;
/** Wait before a refused start is tried again; the cause may have been mended from outside. */
const refusedMs = 30_000;

/**
 * Keeps one thing running until stopped: starts it, and again with growing waits whenever it ends.
 *
 * Invariant: at most one instance runs at any time; once `stop` has returned none does and none will.
 */
export class Unit {
  readonly #options: UnitOptions;
  readonly #state = new RunningState({ policy: { initialMs: 200, maxMs: 10_000, factor: 2, jitter: 0.3 } });
  readonly #first = Promise.withResolvers<void>();
  #status: UnitStatus;
  #running: Running | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: UnitOptions) {
    this.#options = options;
    this.#status = { name: options.name, state: 'stopped', since: new Date().toISOString(), restarts: 0 };
    this.#first.promise.catch(() => undefined);
  }

  get status(): UnitStatus {
    return this.#status;
  }

  /** Begins; resolves when it runs for the first time, rejects when its first start failed (it goes on trying). */
  start(): Promise<void> {
    this.#loop ??= this.#keepRunning();
    return this.#first.promise;
  }

  async stop(): Promise<void> {
    this.#state.stop();
    if (this.#running) this.#become('stopping');
    await this.#running?.stop();
    await this.#loop;
    this.#first.reject(new Error(`${this.#options.name} was stopped before it ran`));
    this.#become('stopped', { pid: undefined });
  }

  async #keepRunning(): Promise<void> {
    while (this.#state.running) {
      const refused = await this.#runOnce();
      if (!this.#state.running) return;
      this.#become(refused ? 'refused' : 'waiting', { pid: undefined });
      if (refused) await sleep(refusedMs, undefined, { signal: this.#state.signal }).catch(() => undefined);
      else await this.#state.backoff();
      this.#become(this.#status.state, { restarts: this.#status.restarts + 1 });
    }
  }

  /** Returns whether it refused to run. */
  async #runOnce(): Promise<boolean> {
    const { name, log } = this.#options;
    const startedMs = performance.now();
    try {
      this.#become('starting');
      this.#running = await this.#options.start(this.#state.signal);
    } catch (error) {
      if (!this.#state.running) return false;
      log.error({ err: error, unit: name }, 'not started');
      this.#become('waiting', { lastEnd: messageOf(error) });
      this.#first.reject(error);
      return isDualhomeError(error) && (error.facts['refused'] === true || error.definition.retry === 'no');
    }
    if (!this.#state.running) {
      await this.#running.stop();
      return false;
    }
    this.#become('running', { pid: this.#running.pid });
    this.#first.resolve();
    const { how, refused } = await this.#running.ended;
    this.#running = undefined;
    if (!this.#state.running) return false;
    if (performance.now() - startedMs > steadyMs) this.#state.succeeded();
    log.error({ unit: name, how }, 'ended by itself');
    this.#become('waiting', { lastEnd: how });
    return refused;
  }

  #become(state: UnitState, facts: Partial<UnitStatus> = {}): void {
    const since = state === this.#status.state ? this.#status.since : new Date().toISOString();
    this.#status = { ...this.#status, ...facts, state, since };
    this.#options.onChange();
  }
}
