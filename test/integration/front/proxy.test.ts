import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callConfiguration, routeRow, subscriberRow } from '../../support/call-configuration.ts';
import { openPair } from '../../support/proxy-bed.ts';
import type { ProxyBed } from '../../support/proxy-bed.ts';
import { SoftPhone } from '../../support/soft-phone.ts';

/** Alice and Adam at home at c1, Bob and Beth at c2; the domain is one. */
const ofC1 = callConfiguration({
  subscribers: [
    subscriberRow('alice@example.com', { class_of_service: ['national'], display_name: 'Alice' }),
    subscriberRow('adam@example.com'),
  ],
  numbers: { '+49301001': 'alice@example.com' },
  routes: [routeRow('+')],
});
const ofC2 = {
  ...callConfiguration({
    subscribers: ['bob@example.com', 'beth@example.com'].map((aor) =>
      subscriberRow(aor, { home_site: 'c2', backup_site: 'c1' }),
    ),
  }),
  owner: 'c2',
};

let stack: AsyncDisposableStack;
let [c1, c2] = [] as unknown as [ProxyBed, ProxyBed];

beforeAll(async () => {
  ({ c1, c2, stack } = await openPair({ c1: [ofC1, ofC2], c2: [ofC2, ofC1] }));
});
afterAll(() => stack.disposeAsync());

const bothSites = () => [c1, c2];
const elsewhere = (bed: ProxyBed) => (bed === c1 ? c2 : c1);

/** A phone registered at one site, known at both. */
async function phoneAt(user: string, bed: ProxyBed, use: AsyncDisposableStack): Promise<SoftPhone> {
  const phone = use.use(await SoftPhone.open({ user }));
  const binding = bed.bind(phone);
  elsewhere(bed).learn(binding);
  use.defer(() => bothSites().forEach((each) => each.forget(binding)));
  return phone;
}

describe('a call', () => {
  test.each([
    ['at one site', 'c1', 'c1'],
    ['from c1 to c2', 'c1', 'c2'],
    ['from c2 to c1', 'c2', 'c1'],
  ] as const)('%s is rung, answered, changed and ended by either side', async (_, from, to) => {
    await using use = new AsyncDisposableStack();
    const at = { c1, c2 };
    const alice = await phoneAt('alice', at[from], use);
    const bob = await phoneAt('bob', at[to], use);

    const call = alice.call('bob');
    const incoming = (await bob.ringing()).ring();
    await call.provisional(180);
    const [hers, his] = await Promise.all([call.answered(), incoming.accept()]);
    expect(incoming.request.value('p-asserted-identity')).toBe('"Alice" <sip:alice@example.com>');
    expect(incoming.request.has('proxy-authorization')).toBe(false);
    expect(await hers.request('INVITE')).toBe(200);
    expect((await his.requests.next()).method).toBe('INVITE');
    expect(await his.request('UPDATE')).toBe(200);
    expect((await hers.requests.next()).method).toBe('UPDATE');
    expect(await his.bye()).toBe(200);
    expect((await hers.requests.next()).method).toBe('BYE');
  });
});
