import { Phone } from '../../../services/simulator/phone/phone.ts';
import { takePortBlock } from '../../../services/site/port-block.ts';
import { runSipp, Sipp } from '../../support/clients/sipp.ts';
import type { SipAddress } from '../../support/clients/sip-address.ts';
import { aorOf, usersFrom } from '../../support/clients/users.ts';
import type { SipUser } from '../../support/clients/users.ts';

/** More than are ever made. */
const callsMax = 1_000_000;
const expiresS = 3600;
const ringMs = 20;

/** Users whose calls are all taken by one sipp. */
export class Callees implements AsyncDisposable {
  readonly users: readonly SipUser[];
  readonly #stack: AsyncDisposableStack;

  private constructor(users: readonly SipUser[], stack: AsyncDisposableStack) {
    this.users = users;
    this.#stack = stack;
  }

  /** Registers users from `first` on at a site, from the port that takes their calls. */
  static async start(site: SipAddress, first: number, count: number): Promise<Callees> {
    await using stack = new AsyncDisposableStack();
    const { first: port } = stack.use(await takePortBlock());
    const users = usersFrom(first, count);
    await runSipp({
      scenario: 'register',
      target: site,
      port,
      users,
      calls: count,
      keywords: { expires: expiresS },
    });
    stack.use(
      await Sipp.start({ scenario: 'uas', port, calls: callsMax, pauseMs: ringMs, timeoutS: expiresS }),
    );
    return new Callees(users, stack.move());
  }

  /** Waits until each can be called through this site. */
  async reachableThrough(site: SipAddress, callerHost: string): Promise<void> {
    await using phone = await callerPhone(callerHost);
    for (const user of this.users) while (!(await callOnce(phone, site, user)).isAnswered);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** A phone of the third party that calls. */
export async function callerPhone(host: string): Promise<Phone> {
  return await Phone.open({ user: 'caller', domain: host, password: '', address: host });
}

/** Makes a call, hangs up at once, and says how long it took until the other end rang. */
export async function callOnce(phone: Phone, { host, port }: SipAddress, user: SipUser) {
  const startedMs = performance.now();
  const dialling = phone.dial(`sip:${aorOf(user)}`, { site: { address: host, port } });
  await dialling.ringing;
  const delayMs = performance.now() - startedMs;
  const { call } = await dialling.outcome;
  await call?.bye();
  return { isAnswered: call !== undefined, delayMs };
}
