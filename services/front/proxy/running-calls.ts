import { Linked, LinkedList } from '../../platform/collections/linked-list.ts';
import type { Binding } from '../calls/target.ts';
import type { Incoming } from '../engine/engine.ts';
import type { Attempt } from './attempt.ts';
import { CallRunner } from './call-runner.ts';
import type { RunnerContext } from './call-runner.ts';
import { recordCall } from './call-records.ts';
import type { CallRecords } from './call-records.ts';

/** A request that has no final answer yet. */
class Running extends Linked<Running> {
  readonly transaction: Incoming;

  constructor(transaction: Incoming) {
    super();
    this.transaction = transaction;
  }
}

/**
 * The requests that have no final answer yet, and the calls among them by who is called.
 *
 * Invariant: a request is here from its arrival until its first final answer.
 */
export class RunningCalls {
  readonly #context: RunnerContext;
  readonly #records: CallRecords;
  readonly #running = new LinkedList<Running>();
  readonly #byAor = new Map<string, Set<CallRunner>>();

  constructor(context: RunnerContext, records: CallRecords) {
    this.#context = context;
    this.#records = records;
  }

  get size(): number {
    return this.#running.size;
  }

  /** Waits for what is decided about a request; undefined where it was cancelled meanwhile. */
  async unlessCancelled<D>(transaction: Incoming, decision: Promise<D>): Promise<D | undefined> {
    let isCancelled = false;
    const running = this.#begin(transaction, () => (isCancelled = true));
    try {
      const decided = await decision;
      return isCancelled ? undefined : decided;
    } finally {
      this.#end(running);
    }
  }

  run(transaction: Incoming, attempt: Attempt): void {
    const { pair, clock } = this.#context;
    const { received, from } = attempt;
    const isCall = received.method === 'INVITE' && from.kind !== 'dialog';
    const record = isCall
      ? recordCall(received, from, { site: pair.site, clock, records: this.#records })
      : undefined;
    const aors = new Set<string>();
    const runner: CallRunner = new CallRunner(this.#context, attempt, transaction, {
      onSent: (target) => record?.onSent(target),
      onProvisional: (status) => record?.onProvisional(status),
      onFound: (found) => {
        record?.onFound(found);
        aors.add(found.aor);
        this.#byAor.set(found.aor, (this.#byAor.get(found.aor) ?? new Set()).add(runner));
      },
      onFinal: (status, reason) => {
        record?.onFinal(status, reason);
        this.#end(running);
        for (const aor of aors) this.#forget(aor, runner);
      },
    });
    const running = this.#begin(transaction, () => runner.cancel());
    runner.start();
  }

  /** A connection is lost: nobody can answer who called over it any more, so that his calls are cancelled. */
  lost(connection: number): void {
    for (const { transaction } of this.#running) {
      const { method, peer, onCancel } = transaction;
      if (method === 'INVITE' && peer.connection === connection) onCancel?.();
    }
  }

  /** A device has registered: calls to its address of record that are pending reach it, too. */
  registered(binding: Binding): void {
    for (const runner of this.#byAor.get(binding.aor) ?? []) runner.registered(binding);
  }

  #begin(transaction: Incoming, cancel: () => void): Running {
    const running = new Running(transaction);
    transaction.onCancel = cancel;
    this.#running.push(running);
    return running;
  }

  #end(running: Running): void {
    running.transaction.onCancel = undefined;
    running.list?.remove(running);
  }

  #forget(aor: string, runner: CallRunner): void {
    const runners = this.#byAor.get(aor);
    runners?.delete(runner);
    if (runners?.size === 0) this.#byAor.delete(aor);
  }
}
