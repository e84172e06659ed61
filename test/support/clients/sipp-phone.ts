import type { ForeignPhone } from './foreign-phone.ts';
import { SippCallee } from './sipp-callee.ts';
import { runSipp } from './sipp.ts';
import type { SipAddress } from './sip-address.ts';
import type { SipUser } from './users.ts';

/**
 * sipp as a phone. Its scenario is a call from INVITE to BYE, which the called one answered; so who called knows all
 * that is to be known, and nothing is waited for at the called.
 */
export class SippPhone implements ForeignPhone {
  readonly #user: SipUser;
  readonly #site: SipAddress;
  readonly #callee: SippCallee;

  private constructor(user: SipUser, site: SipAddress, callee: SippCallee) {
    [this.#user, this.#site, this.#callee] = [user, site, callee];
  }

  /** Registers. */
  static async start(user: SipUser, site: SipAddress): Promise<SippPhone> {
    return new SippPhone(user, site, await SippCallee.start(site, [user]));
  }

  async registered(): Promise<void> {}

  async call(uri: string): Promise<void> {
    const [target, users] = [this.#site, [this.#user]];
    await runSipp({ scenario: 'phone', target, users, calls: 1, keywords: { uri } });
  }

  async answered(): Promise<void> {}

  hangUp(): void {}

  async hungUp(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#callee[Symbol.asyncDispose]();
  }
}
