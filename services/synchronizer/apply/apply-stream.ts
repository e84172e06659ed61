import { DualhomeError } from '../../protocol/errors/index.ts';
import type { EventsFrame } from '../../protocol/link/events-frame.ts';
import type { Resumed } from '../../protocol/link/frame.ts';
import { creditBytes } from '../../protocol/link/limits.ts';
import { positionToJson } from '../../protocol/link/position-json.ts';
import type { Position } from '../../protocol/position.ts';
import { copyNotice } from '../../log/copy-notice.ts';
import { commitRun } from '../../log/commit-run.ts';
import type { LogDefinition } from '../../log/definition.ts';
import { unlessAborted } from '../../platform/lifecycle/abort.ts';
import { failpoint } from '../../platform/lifecycle/failpoint.ts';
import type { PipelineSession } from '../../platform/postgres/pipeline.ts';
import type { Session } from '../link/session.ts';
import { mismatchCodes } from './failure.ts';
import { foldBatch } from './fold-batch.ts';
import { Inbox } from './inbox.ts';
import type { Batch, BatchLimit } from './inbox.ts';

export type ApplyStreamOptions = {
  readonly definition: LogDefinition;
  /** Schema of the copy, where it is not the default one. */
  readonly schema: string | undefined;
  readonly session: Session;
  readonly writer: PipelineSession;
  /** Where the standby stands. */
  readonly cursor: Position;
  /** Tells this RESUME from those before it. */
  readonly attempt: number;
  readonly limit: () => BatchLimit;
  readonly onResuming: (outcome: Resumed | undefined) => void;
  readonly onReceived: (seq: number) => void;
  readonly onCommitted: (position: Position) => void;
};

/** A batch could not be applied; `cause` says why. */
export class BatchFailure extends Error {
  readonly firstSeq: number;
  readonly lastSeq: number;

  constructor(firstSeq: number, lastSeq: number, cause: unknown) {
    super(`events ${firstSeq} to ${lastSeq} were not applied`, { cause });
    this.firstSeq = firstSeq;
    this.lastSeq = lastSeq;
  }
}

/** Transactions on their way to the database at one time: while one commits, the next is already there. */
const commitsMax = 2;

/** Least time between two acknowledgements, unless the sender may run out of credit. */
const ackEveryMs = 5;

/** A batch of fewer events waits for the commit under way and grows: what a commit costs hardly depends on its size. */
const besideEventsMin = 64;

/**
 * One RESUME and what follows it: received, verified and folded here, committed to the standby.
 *
 * Invariant: transactions are sent in the order of the log, each from the position the one before
 * leaves, so that none takes effect after one that failed; a position is acknowledged after its commit.
 */
export class ApplyStream {
  readonly #options: ApplyStreamOptions;
  readonly #inbox: Inbox;
  readonly #ended = new AbortController();
  readonly #accepted = Promise.withResolvers<void>();
  readonly #committing = new Set<Promise<void>>();
  #receives = false;
  #creditLeft = creditBytes;
  /** Credit that the next acknowledgement gives back. */
  #creditDue = 0;
  #ackedAtMs = -Infinity;
  #ackLater: NodeJS.Timeout | undefined;
  #folded: Position;
  #applied: Position;

  constructor(options: ApplyStreamOptions) {
    this.#options = options;
    this.#inbox = new Inbox(options.cursor);
    this.#folded = options.cursor;
    this.#applied = options.cursor;
  }

  get received(): number {
    return this.#inbox.received;
  }

  /** Ends by throwing: the reason of `signal`, what the peer answered, or a BatchFailure. No commit is under way then. */
  async run(signal: AbortSignal): Promise<never> {
    const either = AbortSignal.any([signal, this.#ended.signal]);
    try {
      await this.#resume(either);
      for (;;) await this.#applyNext(either);
    } finally {
      this.#receives = false;
      await Promise.allSettled(this.#committing);
      // Before the next RESUME, which begins with a credit of its own.
      if (this.#ackLater) this.#sendAck();
    }
  }

  onResumed(resumed: Resumed): void {
    if (resumed.attempt !== this.#options.attempt) return;
    const code = mismatchCodes[resumed.outcome];
    if (code) this.#end(new DualhomeError(code, { detail: resumed.detail }));
    this.#options.onResuming(resumed);
    if (resumed.outcome !== 'ok') return;
    this.#receives = true;
    this.#accepted.resolve();
  }

  /** @throws LINK_FRAME_INVALID where the peer sends more than it was let */
  onEvents(frame: EventsFrame, bytes: number): void {
    if (!this.#receives) return;
    if (this.#creditLeft <= 0) {
      throw new DualhomeError('LINK_FRAME_INVALID', { detail: 'EVENTS beyond the credit that was granted' });
    }
    this.#creditLeft -= bytes;
    const lastSeq = frame.firstSeq + frame.bodies.length - 1;
    const received = this.#inbox.push(frame, bytes);
    if (received === 'accepted') this.#options.onReceived(lastSeq);
    else if (received === 'duplicate') this.#acknowledge(bytes);
    else this.#end(misfit(received, frame.firstSeq, lastSeq, this.#inbox.received));
  }

  async #resume(signal: AbortSignal): Promise<void> {
    const { session, definition, cursor, attempt, onResuming } = this.#options;
    onResuming(undefined);
    const position = positionToJson(cursor);
    await session.send('resume', { log: definition.name, attempt, position, credit: creditBytes });
    await unlessAborted(this.#accepted.promise, signal);
  }

  async #applyNext(signal: AbortSignal): Promise<void> {
    const { changed } = this.#inbox;
    signal.throwIfAborted();
    const commitsNow = this.#inbox.waiting < besideEventsMin ? 1 : commitsMax;
    if (this.#committing.size >= commitsNow) {
      await unlessAborted(Promise.race(this.#committing), signal);
      return;
    }
    const batch = this.#inbox.take(this.#options.limit());
    if (batch) this.#commit(batch);
    else await unlessAborted(changed, signal);
  }

  #commit(batch: Batch): void {
    const { writer, definition, schema } = this.#options;
    const { firstSeq, bodies, creditBytes } = batch;
    const fail = (cause: unknown): void =>
      this.#end(new BatchFailure(firstSeq, firstSeq + bodies.length - 1, cause));
    try {
      const { run, changes } = foldBatch(this.#folded, batch, definition);
      failpoint('apply.before-commit');
      const committing = commitRun(writer, run, changes, {
        notify: copyNotice(definition.name, schema, run.to.seq),
      })
        .then(() => this.#committed(run.to, creditBytes), fail)
        .finally(() => this.#committing.delete(committing));
      this.#committing.add(committing);
      this.#folded = run.to;
    } catch (error) {
      fail(error);
    }
  }

  #committed(position: Position, creditBytes: number): void {
    failpoint('apply.after-commit-before-ack');
    this.#applied = position;
    this.#options.onCommitted(position);
    this.#acknowledge(creditBytes);
  }

  /** What is applied within a few milliseconds is acknowledged together: a frame costs both sides as much as an event. */
  #acknowledge(credit: number): void {
    this.#creditDue += credit;
    const waitMs = this.#ackedAtMs + ackEveryMs - performance.now();
    if (waitMs <= 0 || this.#creditDue > creditBytes / 4) this.#sendAck();
    else this.#ackLater ??= setTimeout(() => this.#sendAck(), waitMs);
  }

  #sendAck(): void {
    const { session, definition } = this.#options;
    clearTimeout(this.#ackLater);
    this.#ackLater = undefined;
    this.#ackedAtMs = performance.now();
    this.#creditLeft += this.#creditDue;
    const ack = {
      log: definition.name,
      received: this.#inbox.received,
      applied: this.#applied.seq,
      credit: this.#creditDue,
    };
    this.#creditDue = 0;
    // Where it cannot be sent the session has ended; the next RESUME says it all.
    session.send('ack', ack).catch(() => undefined);
  }

  #end(reason: unknown): void {
    this.#ended.abort(reason);
  }
}

function misfit(received: 'gap' | 'broken', firstSeq: number, lastSeq: number, held: number): BatchFailure {
  const detail =
    received === 'gap'
      ? `Event ${held + 1} is missing: ${firstSeq} came after ${held}.`
      : `The chain does not hold between events ${Math.max(firstSeq, held + 1)} and ${lastSeq}.`;
  return new BatchFailure(
    firstSeq,
    lastSeq,
    new DualhomeError('LOG_BROKEN', { detail, facts: { seq: held + 1 } }),
  );
}
