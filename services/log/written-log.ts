import type { Queryable } from '../platform/postgres/statement.ts';
import { DualhomeError, isDualhomeError } from '../protocol/errors/index.ts';
import type { Position } from '../protocol/position.ts';
import { logChannel } from './definition.ts';
import type { LogDefinition } from './definition.ts';
import { clearForbiddingAlarms, forbiddingAlarm, raiseAlarm } from './forbidding-alarms.ts';
import type { ForbiddingAlarm } from './forbidding-alarms.ts';
import type { LogEnd } from './group-writer.ts';
import { beginIncarnation, openHomeLog } from './open-log.ts';
import type { Cause } from './open-log.ts';
import { openWriter } from './open-writer.ts';
import type { OpenWriter, OpenWriterOptions } from './open-writer.ts';

export type WrittenLogOptions<Request, Answer> = Omit<OpenWriterOptions<Request, Answer>, 'channel'> & {
  readonly definition: LogDefinition;
  readonly site: string;
  readonly shared: Queryable;
  /** Told when the log was opened, and when and why it was closed. */
  readonly onState: (state: LogState) => void;
};

/** Whether the log can be written now, and why not. */
export type LogState =
  { readonly open: true; readonly head: Position } | { readonly open: false; readonly reason: DualhomeError };

/**
 * A log of this site as the program that writes it may write it at this moment.
 *
 * Invariants: nothing is appended while an alarm says that the log was restored or has forked, or while it is unknown
 * whether one does. A log found to be restored raises that alarm. Only a new incarnation, or whoever clears the alarm,
 * opens it again.
 */
export class WrittenLog<Request, Answer> implements AsyncDisposable {
  readonly #options: WrittenLogOptions<Request, Answer>;
  readonly #fenced = Promise.withResolvers<DualhomeError>();
  #current: OpenWriter<Request, Answer> | undefined;
  #reason = new DualhomeError('LOG_CLOSED', { detail: 'The log is being opened.' });
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: WrittenLogOptions<Request, Answer>) {
    this.#options = options;
  }

  get state(): LogState {
    const writer = this.#current?.writer;
    return writer ? { open: true, head: writer.head } : { open: false, reason: this.#reason };
  }

  /** Requests that are not answered yet. */
  get queued(): number {
    return this.#current?.writer.queued ?? 0;
  }

  /** Resolves when another process has written the log: this one must end. */
  get fenced(): Promise<DualhomeError> {
    return this.#fenced.promise;
  }

  /** See `GroupWriter.submit`; refused with the reason while the log is not open. */
  async submit(request: Request, bytes: number): Promise<Answer> {
    if (!this.#current) throw this.#reason;
    return this.#current.writer.submit(request, bytes);
  }

  /** Looks at the alarms and opens or closes the log accordingly. @throws POSTGRES_* */
  check(): Promise<void> {
    return this.#exclusive(async () => {
      const alarm = await this.#readAlarm();
      if (alarm) await this.#close(reasonOf(alarm));
      else if (!this.#current) await this.#openOrRefuse();
    });
  }

  /**
   * Goes on from where the log ends, whatever it was before, and clears the alarms that forbade it. `whileClosed` is
   * done before, when nothing is written any longer.
   */
  beginIncarnation(
    cause: Cause,
    whileClosed: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Position> {
    return this.#exclusive(async () => {
      await this.#close(new DualhomeError('LOG_CLOSED', { detail: 'A new incarnation begins.' }));
      await whileClosed();
      const { shared, definition } = this.#options;
      const end = await beginIncarnation(this.#options, cause);
      await clearForbiddingAlarms(shared, definition.name, cause.actor.name);
      this.#open(end);
      return end.head;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exclusive(() => this.#close(new DualhomeError('LOG_CLOSED')));
  }

  /** An alarm that cannot be read forbids to open the log, but does not close one that is open. */
  async #readAlarm(): Promise<ForbiddingAlarm | undefined> {
    const { shared, definition } = this.#options;
    try {
      return await forbiddingAlarm(shared, definition.name);
    } catch (error) {
      if (!this.#current && isDualhomeError(error)) this.#reason = error;
      throw error;
    }
  }

  async #openOrRefuse(): Promise<void> {
    const { shared, definition } = this.#options;
    try {
      this.#open(await openHomeLog(this.#options));
    } catch (error) {
      if (!isDualhomeError(error)) throw error;
      this.#refuse(error);
      if (error.code !== 'LOG_RESTORED') throw error;
      await raiseAlarm(shared, definition.name, error.code, error.detail ?? '', error.facts);
    }
  }

  #open(end: LogEnd): void {
    const current = openWriter(end, { ...this.#options, channel: logChannel[this.#options.definition.name] });
    this.#current = current;
    void current.writer.stopped.then((error) => {
      if (error.code === 'LOG_FENCED') this.#fenced.resolve(error);
    });
    this.#options.onState(this.state);
  }

  async #close(reason: DualhomeError): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    this.#refuse(reason);
    await current?.[Symbol.asyncDispose]();
  }

  #refuse(reason: DualhomeError): void {
    const known = this.#reason.code === reason.code && this.#reason.detail === reason.detail;
    this.#reason = reason;
    if (!known) this.#options.onState(this.state);
  }

  /** One thing after the other. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function reasonOf({ code, detail, facts }: ForbiddingAlarm): DualhomeError {
  return new DualhomeError(code === 'LOG_FORKED' ? 'LOG_FORKED' : 'LOG_RESTORED', { detail, facts });
}
