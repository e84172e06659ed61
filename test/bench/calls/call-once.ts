import { Phone } from '../../../services/simulator/phone/phone.ts';
import type { SipAddress } from '../../support/clients/sip-address.ts';
import { aorOf } from '../../support/clients/users.ts';
import type { SipUser } from '../../support/clients/users.ts';

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

/** Waits until each can be called through this site. */
export async function untilReachable(
  users: readonly SipUser[],
  site: SipAddress,
  callerHost: string,
): Promise<void> {
  await using phone = await callerPhone(callerHost);
  for (const user of users) while (!(await callOnce(phone, site, user)).isAnswered);
}
