import { Mutex } from '../mutex.ts';

/** Why a turn was ended from outside; no failure. */
class Interrupted extends Error {}

/**
 * Who has the lane to himself: its own loop, turn after turn, or a caller in between.
 *
 * Invariant: at most one of them at any time; the loop's turn is asked to end as soon as a caller
 * waits, and callers come before its next turn.
 */
export class LaneLock {
  readonly #mutex = new Mutex();
  #turn: AbortController | undefined;
  #waiting = 0;

  /** One turn of the loop, until `work` ends or is interrupted; `end` ends it with a failure. */
  async turn(work: (signal: AbortSignal, end: (reason: unknown) => void) => Promise<void>): Promise<void> {
    await this.#mutex.run(async () => {
      const turn = new AbortController();
      this.#turn = turn;
      if (this.#waiting > 0) turn.abort(new Interrupted());
      try {
        await work(turn.signal, (reason) => turn.abort(reason));
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
      } finally {
        this.#turn = undefined;
      }
    });
  }

  /** Ends the loop's turn, so that the next one begins anew. */
  interrupt(): void {
    this.#turn?.abort(new Interrupted());
  }

  /** Runs `work` between two turns; rejects with the reason of `signal` if that aborts before it begins. */
  async exclusive<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
    given.catch(() => undefined);
    const onAbort = (): void => giveUp(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting += 1;
    this.interrupt();
    const done = this.#mutex.run(async () => {
      this.#waiting -= 1;
      signal?.throwIfAborted();
      signal?.removeEventListener('abort', onAbort);
      return work();
    });
    return await Promise.race([done, given]);
  }
}
