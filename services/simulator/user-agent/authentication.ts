import { randomBytes } from 'node:crypto';
import { answerChallenge, parseChallenge } from '../../sip/auth/challenge.ts';
import type { Challenge } from '../../sip/auth/challenge.ts';
import { digestHa1 } from '../../sip/auth/digest.ts';
import type { Response } from '../../sip/message/message.ts';

/** A header field to be added to a request, as `buildRequest` takes it. */
export type HeaderLine = readonly [name: string, value: string];

/** What a client keeps of a server's challenge, so that further requests need not be challenged (RFC 7616 section 3.6). */
export class Authentication {
  readonly #user: string;
  readonly #password: string;
  #challenge: Challenge | undefined;
  #field: 'Authorization' | 'Proxy-Authorization' = 'Authorization';
  #count = 0;

  constructor(user: string, password: string) {
    this.#user = user;
    this.#password = password;
  }

  /** Takes the challenge of a 401 or 407; false where there is none that can be answered. */
  take(response: Response): boolean {
    const isProxy = response.status === 407;
    if (!isProxy && response.status !== 401) return false;
    const lines = response.lines(isProxy ? 'proxy-authenticate' : 'www-authenticate');
    const challenge = lines.map((line) => parseChallenge(line)).find((each) => each !== undefined);
    if (!challenge) return false;
    this.#challenge = challenge;
    this.#field = isProxy ? 'Proxy-Authorization' : 'Authorization';
    this.#count = 0;
    return true;
  }

  /** Credentials for a request, or nothing before the first challenge. */
  headers(method: string, uri: string): readonly HeaderLine[] {
    const challenge = this.#challenge;
    if (!challenge) return [];
    this.#count += 1;
    const value = answerChallenge(challenge, {
      username: this.#user,
      ha1: digestHa1(challenge.algorithm, this.#user, challenge.realm, this.#password),
      method,
      uri,
      cnonce: randomBytes(6).toString('hex'),
      count: this.#count,
    });
    return [[this.#field, value]];
  }
}
