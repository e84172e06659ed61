import type { Request } from '../../sip/message/message.ts';
import type { HeaderLine } from '../user-agent/authentication.ts';
import type { Call } from './call.ts';

type Answers = {
  readonly respond: (status: number, headers: readonly HeaderLine[]) => void;
  readonly accept: () => Call;
};

/** A call that rings here until it is accepted, refused or cancelled. */
export class IncomingCall {
  readonly invite: Request;
  readonly #answers: Answers;
  readonly #cancelled = Promise.withResolvers<void>();
  #isOpen = true;

  constructor(invite: Request, answers: Answers) {
    this.invite = invite;
    this.#answers = answers;
  }

  /** Resolves when the caller has given up, or another device was quicker. */
  get whenCancelled(): Promise<void> {
    return this.#cancelled.promise;
  }

  ring(): void {
    if (this.#isOpen) this.#answers.respond(180, []);
  }

  accept(): Call {
    if (!this.#isOpen) throw new Error('the call is over');
    this.#isOpen = false;
    return this.#answers.accept();
  }

  refuse(status: number, headers: readonly HeaderLine[] = []): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#answers.respond(status, headers);
  }

  /** A CANCEL came for it. */
  cancelled(): void {
    this.refuse(487);
    this.#cancelled.resolve();
  }
}
