import { answerChallenge, parseChallenge } from '../../../../services/sip/auth/challenge.ts';
import type { SipAddress } from '../../../support/clients/sip-address.ts';
import { aorOf, ha1Of } from '../../../support/clients/users.ts';
import type { SipUser } from '../../../support/clients/users.ts';

export type RegistrationOptions = {
  readonly user: SipUser;
  readonly callId: string;
  /** Where the user can be reached, and the sender of it all. */
  readonly contact: SipAddress;
  readonly expiresS: number;
  /** CSeq of the first REGISTER; grows from one registration of the user to the next. */
  readonly sequence: number;
};

/** One registration as its client sees it: REGISTER, 401, REGISTER with credentials, 200. */
export class Registration {
  readonly user: SipUser;
  readonly callId: string;
  readonly #options: RegistrationOptions;
  readonly #uri: string;
  #attempt = 0;
  /** What was sent last. */
  request: Buffer;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.user = options.user;
    this.callId = options.callId;
    this.#uri = `sip:${options.user.domain}`;
    this.request = this.#register('');
  }

  /** What is to be done now that this response has come; `request` is the next one where it is `send`. */
  receive(status: number, response: string): 'send' | 'wait' | 'done' | 'failed' {
    if (status < 200) return 'wait';
    if (cseqOf(response) !== this.#sequence) return 'wait';
    if (status === 200) return 'done';
    const challenge = parseChallenge(/^WWW-Authenticate: (.*)\r$/im.exec(response)?.[1] ?? '');
    if (status !== 401 || !challenge || (this.#attempt > 0 && !challenge.isStale)) return 'failed';
    this.#attempt += 1;
    const credentials = answerChallenge(challenge, {
      username: this.user.name,
      ha1: ha1Of(this.user),
      method: 'REGISTER',
      uri: this.#uri,
      cnonce: this.callId,
      count: 1,
    });
    this.request = this.#register(`Authorization: ${credentials}\r\n`);
    return 'send';
  }

  get #sequence(): number {
    return this.#options.sequence + this.#attempt;
  }

  #register(authorization: string): Buffer {
    const { user, callId, contact, expiresS } = this.#options;
    const place = `${contact.host}:${contact.port}`;
    return Buffer.from(
      `REGISTER ${this.#uri} SIP/2.0\r\n` +
        `Via: SIP/2.0/UDP ${place};branch=z9hG4bK${callId}-${this.#sequence};rport\r\n` +
        'Max-Forwards: 70\r\n' +
        `From: <sip:${aorOf(user)}>;tag=${callId}\r\n` +
        `To: <sip:${aorOf(user)}>\r\n` +
        `Call-ID: ${callId}\r\n` +
        `CSeq: ${this.#sequence} REGISTER\r\n` +
        `Contact: <sip:${user.name}@${place}>\r\n` +
        `${authorization}Expires: ${expiresS}\r\n` +
        'Content-Length: 0\r\n\r\n',
      'latin1',
    );
  }
}

const cseqOf = (response: string): number => Number(/^CSeq: (\d+)/im.exec(response)?.[1]);
