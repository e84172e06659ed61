import type { Ack, Resume } from '../../protocol/link/frame.ts';
import type { LogName } from '../../protocol/names.ts';
import type { SendFrames, Session } from '../link/session.ts';
import { Mutex } from '../mutex.ts';
import type { SendLane } from '../ports.ts';
import { SendStream } from './send-stream.ts';
import type { SendStreamOptions } from './send-stream.ts';

export type LogSenderOptions = Omit<SendStreamOptions, 'sending'> & { readonly peer: string };

/**
 * Sends one log to one peer: answers where it resumes from, then pushes what is committed, as far
 * as its credit goes.
 *
 * Invariant: on one connection events are sent in order and without gap from the position that was
 * answered with `ok`; a new RESUME ends what the one before began. Memory is one batch.
 */
export class LogSender implements SendLane, SendFrames, AsyncDisposable {
  readonly peer: string;
  readonly log: LogName;
  readonly #options: LogSenderOptions;
  readonly #sending = new Mutex();
  #stream: SendStream | undefined;
  #applied: number | undefined;

  constructor(options: LogSenderOptions) {
    this.peer = options.peer;
    this.log = options.own.definition.name;
    this.#options = options;
  }

  get applied(): number | undefined {
    return this.#applied;
  }

  /** The last event handed to the connection; undefined while nothing is being sent. */
  get sent(): number | undefined {
    return this.#stream?.sent;
  }

  hold<T>(work: (sent: number | undefined) => Promise<T>): Promise<T> {
    return this.#sending.run(() => work(this.sent));
  }

  onResume(resume: Resume, session: Session): void {
    this.#stream?.stop();
    this.#applied = resume.position.seq;
    const stream = new SendStream(resume, session, { ...this.#options, sending: this.#sending });
    this.#stream = stream;
    void stream.done.then(() => {
      if (this.#stream === stream) this.#stream = undefined;
    });
  }

  onAck({ applied, credit }: Ack): void {
    this.#applied = applied;
    this.#stream?.credit.grant(credit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream?.stop();
    await this.#stream?.done;
  }
}
