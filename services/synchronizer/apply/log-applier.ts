import { DualhomeError } from '../../protocol/errors/index.ts';
import type { EventsFrame } from '../../protocol/link/events-frame.ts';
import type { Resumed } from '../../protocol/link/frame.ts';
import type { PositionJson } from '../../protocol/link/position-json.ts';
import type { LogName } from '../../protocol/names.ts';
import type { Position } from '../../protocol/position.ts';
import type { LogDefinition } from '../../log/definition.ts';
import { readHead } from '../../log/head.ts';
import { steadyPlans } from '../../log/steady-plans.ts';
import { unlessAborted } from '../../platform/lifecycle/abort.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { openPipeline } from '../../platform/postgres/pipeline.ts';
import type { PipelineSession } from '../../platform/postgres/pipeline.ts';
import type { ApplyFrames, Session } from '../link/session.ts';
import type { Alarms, ApplyLane } from '../ports.ts';
import type { OpenCopy } from '../copy.ts';
import { claimLane } from '../store/copy.ts';
import { ApplyStream, BatchFailure } from './apply-stream.ts';
import { asRegistered, judge } from './failure.ts';
import type { BatchLimit } from './inbox.ts';
import { LaneAlarms } from './lane-alarms.ts';
import { LaneLock } from './lane-lock.ts';
import { LaneStatus } from './lane-status.ts';
import { Parking } from './parking.ts';
import type { AckWitness } from './witness.ts';

export type LogApplierOptions = {
  readonly peer: string;
  readonly definition: LogDefinition;
  readonly copy: OpenCopy;
  readonly witness: AckWitness;
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly whenSession: (signal: AbortSignal) => Promise<Session>;
  /** The state of the lane, not only a number, is another. */
  readonly onChange: () => void;
};

/** Of one transaction at the standby; a larger one would hold the next batch up more than it saves. */
const transactionMax = { eventsMax: 2_000, bytesMax: 1024 * 1024 };

/**
 * Applies one log of a peer to its copy here, for the life of the program.
 *
 * Each turn: open a connection and claim the lane, read the cursor, then for each session resume from
 * it and apply what comes. What ends a turn decides what comes before the next one: see `judge`.
 *
 * Invariant: the cursor of every turn is read from the database, so whatever became of the turn
 * before, nothing is applied twice or left out. Nothing is skipped: an event that cannot be applied
 * parks the lane.
 */
export class LogApplier implements ApplyLane, ApplyFrames, AsyncDisposable {
  readonly peer: string;
  readonly log: LogName;
  readonly status: LaneStatus;
  readonly #options: LogApplierOptions;
  readonly #running = new RunningState();
  readonly #lock = new LaneLock();
  readonly #alarms: LaneAlarms;
  readonly #parking = new Parking();
  readonly #marks = new Set<number>();
  #stream: ApplyStream | undefined;
  #attempts = 0;
  /** Events up to it are applied one by one: one of them failed in a batch. */
  #suspectSeq = 0;
  #progress = Promise.withResolvers<void>();
  #done: Promise<void> | undefined;

  constructor(options: LogApplierOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.log = options.definition.name;
    this.status = new LaneStatus(this.log, options.clock, options.onChange);
    this.#alarms = new LaneAlarms(options.alarms, `${this.peer}/${this.log}`);
  }

  start(): void {
    this.#done = this.#run();
  }

  cursor(): Promise<Position> {
    return readHead(this.#options.copy.database);
  }

  async exclusive<T>(work: (cursor: Position) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#lock.exclusive(async () => {
      this.status.enter('held');
      try {
        return await work(await this.cursor());
      } finally {
        await this.#accept();
        this.status.enter('starting');
        this.#parking.leave();
      }
    }, signal);
  }

  async at<T>(seq: number, work: (cursor: Position) => Promise<T>, signal: AbortSignal): Promise<T> {
    this.#marks.add(seq);
    try {
      for (let progress = this.#progress; this.#appliedSeq() < seq; progress = this.#progress) {
        await unlessAborted(progress.promise, signal);
      }
      return await this.exclusive(async (cursor) => {
        if (cursor.seq === seq) return work(cursor);
        throw new DualhomeError('LINK_MARK_PASSED', { detail: `asked for ${seq}, applied ${cursor.seq}` });
      }, signal);
    } finally {
      this.#marks.delete(seq);
      this.#lock.interrupt();
    }
  }

  restart(): void {
    this.#lock.interrupt();
    this.#parking.leave();
  }

  /** The peer's log, as the peer last said. */
  onPeerHead(head: PositionJson): void {
    this.status.knows(head.seq);
    this.#parking.onPeerHead(head);
  }

  /** Another connection is up, perhaps to other software. */
  onUp(): void {
    this.#parking.leave();
  }

  onResumed(resumed: Resumed): void {
    this.#stream?.onResumed(resumed);
  }

  onEvents(frame: EventsFrame, bytes: number): void {
    this.#stream?.onEvents(frame, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.stop();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (this.#running.running) {
      try {
        await this.#lock.turn((signal, end) =>
          this.#turn(AbortSignal.any([this.#running.signal, signal]), end),
        );
      } catch (error) {
        if (!this.#running.running) return;
        await this.#recover(error);
      }
    }
  }

  async #turn(signal: AbortSignal, end: (reason: unknown) => void): Promise<void> {
    const { copy, whenSession } = this.#options;
    signal.throwIfAborted();
    this.status.enter('starting');
    await using writer = await openPipeline({
      url: copy.url,
      schema: copy.schema,
      settings: steadyPlans,
      applicationName: `dualhome synchronizer ${this.log}`,
      onError: end,
    });
    await claimLane(writer, this.log);
    await this.#startAt(await readHead(writer));
    for (;;) {
      this.status.enter('unlinked');
      const session = await whenSession(signal);
      await this.#follow(session, writer, signal);
    }
  }

  async #startAt(cursor: Position): Promise<void> {
    const witness = await this.#options.witness.read();
    if (witness && cursor.seq < witness.seq) await this.#alarms.restored(cursor, witness);
    this.status.startsAt(cursor);
    this.#progressed();
  }

  /** Applies what comes over `session` until it ends; what else ends it is thrown. */
  async #follow(session: Session, writer: PipelineSession, signal: AbortSignal): Promise<void> {
    const { definition, copy } = this.#options;
    const cursor = this.status.applied;
    if (!cursor) throw new Error('a lane without a cursor');
    this.#attempts += 1;
    const stream = new ApplyStream({
      definition,
      schema: copy.schema,
      session,
      writer,
      cursor,
      attempt: this.#attempts,
      limit: () => this.#limit(),
      onResuming: (resumed) => this.#onResuming(resumed),
      onReceived: (seq) => this.status.receivedUpTo(seq),
      onCommitted: (position) => this.#onCommitted(position),
    });
    this.#stream = stream;
    try {
      await stream.run(AbortSignal.any([signal, session.signal]));
    } catch (error) {
      if (error instanceof BatchFailure || signal.aborted || !session.signal.aborted) throw error;
    } finally {
      this.#stream = undefined;
    }
  }

  #limit(): BatchLimit {
    const careful = this.#appliedSeq() < this.#suspectSeq;
    return {
      ...transactionMax,
      ...(careful && { eventsMax: 1 }),
      seqMax: Math.min(Infinity, ...this.#marksAhead()),
    };
  }

  #marksAhead(): readonly number[] {
    return [...this.#marks].filter((seq) => seq >= this.#appliedSeq());
  }

  #onResuming(resumed: Resumed | undefined): void {
    if (resumed?.outcome === 'ok') {
      this.status.enter('applying');
      this.#running.succeeded();
      void this.#alarms.resumed();
    } else if (resumed?.outcome === 'unavailable') {
      this.status.enter('waiting', new DualhomeError('LINK_HOME_UNAVAILABLE', { detail: resumed.detail }));
    } else this.status.enter('resuming');
  }

  #onCommitted(position: Position): void {
    this.status.appliedUpTo(position);
    this.#options.witness.record(position);
    void this.#alarms.applied(position.seq);
    this.#progressed();
  }

  async #recover(error: unknown): Promise<void> {
    const batch = error instanceof BatchFailure ? error : undefined;
    const cause = batch ? batch.cause : error;
    const failure = asRegistered(cause, batch !== undefined);
    const verdict = judge(cause, batch !== undefined);
    if (verdict === 'mismatch' || (verdict === 'event' && this.#isCertain(failure, batch))) {
      await this.#park(failure, verdict === 'mismatch');
    } else if (verdict === 'event') {
      this.#suspectSeq = batch?.lastSeq ?? this.#appliedSeq() + 1;
    } else {
      this.#report(failure);
      this.status.enter('waiting', failure);
      await this.#running.backoff();
    }
  }

  /** Whether it is known which event it is: it failed alone, or what came twice was broken twice. */
  #isCertain(failure: DualhomeError, batch: BatchFailure | undefined): boolean {
    const suspected = this.#appliedSeq() < this.#suspectSeq;
    return suspected && (failure.code === 'LOG_BROKEN' || batch?.firstSeq === batch?.lastSeq);
  }

  #report(failure: DualhomeError): void {
    const { logger } = this.#options;
    const level = this.#running.failures === 0 ? 'warn' : 'debug';
    logger[level]({ err: failure, peer: this.peer, log: this.log }, 'the lane waits');
  }

  async #park(failure: DualhomeError, mismatch: boolean): Promise<void> {
    this.#options.logger.error({ err: failure, peer: this.peer, log: this.log }, 'the lane is parked');
    this.status.enter('parked', failure);
    void this.#alarms.parked(failure);
    await this.#parking.wait(mismatch, this.#running.signal);
  }

  /** The standby may have been moved on purpose: where it is now is what counts. */
  async #accept(): Promise<void> {
    await this.cursor().then(
      (cursor) => {
        this.#options.witness.replace(cursor);
        this.status.startsAt(cursor);
      },
      // Its next turn reads the cursor anew, and takes it for restored at worst.
      () => undefined,
    );
  }

  #appliedSeq(): number {
    return this.status.applied?.seq ?? -1;
  }

  #progressed(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers<void>();
  }
}
