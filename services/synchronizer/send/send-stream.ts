import { messageOf } from '../../protocol/errors/index.ts';
import { eventsHeadBytes } from '../../protocol/link/events-frame.ts';
import type { Resume } from '../../protocol/link/frame.ts';
import { batchBytes, batchEventsMax } from '../../protocol/link/limits.ts';
import { positionFromJson } from '../../protocol/link/position-json.ts';
import type { LogName } from '../../protocol/names.ts';
import type { Position } from '../../protocol/position.ts';
import { unlessAborted } from '../../platform/lifecycle/abort.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import { failpoint } from '../../platform/lifecycle/failpoint.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { databaseTrouble } from '../database-trouble.ts';
import { Priority } from '../link/outbox.ts';
import type { Session } from '../link/session.ts';
import type { Mutex } from '../mutex.ts';
import { readOwnFacts, readPacked } from '../store/own-log.ts';
import { answerResume } from './answer-resume.ts';
import type { ResumeAnswer } from './answer-resume.ts';
import { Credit } from './credit.ts';
import type { OwnLog } from './own-log.ts';

export type SendStreamOptions = {
  readonly own: OwnLog;
  readonly logger: Logger;
  /** Held while a batch is read and sent. */
  readonly sending: Mutex;
  /** Told how the position the peer holds stands to this log. */
  readonly onAnswer: (answer: ResumeAnswer, held: Position) => Promise<void>;
};

const firstEventsMax = 500;

/** What follows one RESUME: the answer, then events until the connection ends or the peer resumes anew. */
export class SendStream {
  readonly credit: Credit;
  /** Settles when it has ended; rejects only for a defect. */
  readonly done: Promise<void>;
  readonly #resume: Resume;
  readonly #session: Session;
  readonly #options: SendStreamOptions;
  readonly #running: RunningState;
  #sent: number | undefined;
  #eventsMax = firstEventsMax;

  constructor(resume: Resume, session: Session, options: SendStreamOptions) {
    this.credit = new Credit(resume.credit);
    this.#resume = resume;
    this.#session = session;
    this.#options = options;
    this.#running = new RunningState({ parent: session.signal });
    this.done = this.#run();
  }

  /** The last event handed to the connection; undefined before the position was answered with `ok`. */
  get sent(): number | undefined {
    return this.#sent;
  }

  stop(): void {
    this.#running.stop();
  }

  async #run(): Promise<void> {
    try {
      const position = positionFromJson(this.#resume.position);
      if (!(await this.#retrying(() => this.#answer(position)))) return;
      this.#sent = position.seq;
      while (this.#running.running) await this.#retrying(() => this.#push());
    } catch (error) {
      // The connection has ended, or the peer resumed anew: the next stream goes on.
      if (this.#running.running) throw error;
    }
  }

  /** Tries again while the database of the log cannot be used; the peer is told. */
  async #retrying<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await work();
        this.#running.succeeded();
        return result;
      } catch (error) {
        if (!databaseTrouble(error)) throw error;
        if (this.#running.failures === 0) {
          this.#options.logger.warn({ err: error }, 'the log cannot be read; sending goes on when it can');
        }
        await this.#running.backoff();
        this.#running.signal.throwIfAborted();
      }
    }
  }

  async #answer(position: Position): Promise<boolean> {
    const { own, onAnswer } = this.#options;
    const answer = await readOwnFacts(own.database, position).then(
      (facts) => answerResume(position, facts),
      async (error: unknown) => {
        if (databaseTrouble(error))
          await this.#sendAnswer({ outcome: 'unavailable', detail: messageOf(error) });
        throw error;
      },
    );
    await onAnswer(answer, position);
    await this.#sendAnswer(answer);
    return answer.outcome === 'ok';
  }

  async #sendAnswer({ outcome, detail }: ResumeAnswer): Promise<void> {
    const { name: log } = this.#options.own.definition;
    const { attempt } = this.#resume;
    // In the same queue as the events, so that it never overtakes those of a stream before it.
    await this.#session.send('resumed', { log, attempt, outcome, detail }, priorityOf(log));
  }

  /** Sends the next batch, or waits for what it takes. */
  async #push(): Promise<void> {
    const { own, sending } = this.#options;
    const { signal } = this.#running;
    if (this.credit.exhausted) return unlessAborted(this.credit.granted, signal);
    const { changed } = own;
    const sent = await sending.run(() => this.#sendBatch());
    if (!sent || !own.mayExceed(this.#sent ?? 0)) await unlessAborted(changed, signal);
  }

  async #sendBatch(): Promise<boolean> {
    const { reader, definition } = this.#options.own;
    const { name: log } = definition;
    this.#running.signal.throwIfAborted();
    const sent = this.#sent ?? 0;
    const batch = await readPacked(await reader.open(), sent, this.#eventsMax, batchBytes);
    if (!batch) return false;
    if (batch.firstSeq !== sent + 1) {
      const detail = `events ${sent + 1} to ${batch.firstSeq - 1} are no longer held`;
      await this.#sendAnswer({ outcome: 'snapshot-needed', detail });
      this.stop();
      return true;
    }
    const { packed, ...head } = batch;
    failpoint('send.before-frame');
    this.credit.spend(eventsHeadBytes + packed.length);
    await this.#session.sendEvents({ log, ...head }, packed, priorityOf(log));
    this.#sent = sent + batch.count;
    this.#eventsMax = eventsMaxAfter(batch.count, packed.length);
    return true;
  }
}

/**
 * How many events the server should look at for the next batch: what fills one, at the size events
 * have, and some more. All beyond are read in vain.
 */
function eventsMaxAfter(count: number, bytes: number): number {
  return Math.min(batchEventsMax, Math.ceil((1.2 * batchBytes * count) / bytes) + 1);
}

const priorityOf = (log: LogName): Priority =>
  log === 'registration' ? Priority.registration : Priority.configuration;
