import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import type { TestContext } from 'vitest';
import { killSite } from '../../../services/cli/demo/kill-site.ts';
import { Baresip } from '../../support/clients/baresip.ts';
import { talk } from '../../support/clients/foreign-phone.ts';
import type { ForeignPhone } from '../../support/clients/foreign-phone.ts';
import { missing } from '../../support/clients/installed.ts';
import type { ForeignProgram } from '../../support/clients/installed.ts';
import { FailoverProxy } from '../../support/clients/kamailio/failover-proxy.ts';
import { Linphonec } from '../../support/clients/linphonec.ts';
import type { SipAddress } from '../../support/clients/sip-address.ts';
import { addRoute, addThirdParty, addUsers, flowsOf, sipAddressOf } from '../../support/clients/sip-sites.ts';
import { SippPhone } from '../../support/clients/sipp-phone.ts';
import { runSipp, Sipp } from '../../support/clients/sipp.ts';
import { aorOf, domainOfUsers, usersFrom } from '../../support/clients/users.ts';
import type { SipUser } from '../../support/clients/users.ts';
import { NetworkNamespace } from '../../support/network-namespace.ts';
import type { TestSite } from '../../support/test-site.ts';
import { TwoSites } from '../../support/two-sites.ts';

const setupMsMax = 120_000;
/** The third party c3, a Kamailio, and its device A5, a sipp, have an address that nobody else has. */
const c3Host = '127.0.0.3';
const a5Number = '+44205';
const longerThanTests = { calls: 1_000_000, timeoutS: 3600 };

const ofC1 = usersFrom(1, 30);
const ofC2 = usersFrom(31, 20);

type Kind = {
  readonly name: ForeignProgram;
  /** Why it cannot run here. */
  missing(): string | undefined;
  start(user: SipUser, site: SipAddress): Promise<ForeignPhone>;
};
type Phone = { readonly user: SipUser; readonly phone: ForeignPhone };
type Devices = Readonly<Record<'a1' | 'a2' | 'a3', Phone>>;

describe('calls of M15 between clients of others, c3 being a Kamailio with two routes', () => {
  const stack = new AsyncDisposableStack();
  let noNamespace: string | undefined;
  let network: NetworkNamespace | undefined;
  let two: TwoSites;
  let c3: FailoverProxy;
  let living: readonly TestSite[];
  let used = 0;

  beforeAll(async () => {
    noNamespace = await NetworkNamespace.missing();
    if (noNamespace === undefined) network = stack.use(await NetworkNamespace.create());
    two = stack.use(await TwoSites.start({ direct: true, host: network?.hostAddress }));
    living = [two.c1, two.c2];
    await addUsers(two, ofC1, 'c1');
    await addUsers(two, ofC2, 'c2');
    if (missing('sipp', 'kamailio')) return;
    const a5 = stack.use(await Sipp.start({ scenario: 'uas', host: c3Host, ...longerThanTests }));
    const sites = [await sipAddressOf(two.c1), await sipAddressOf(two.c2)];
    c3 = stack.use(await FailoverProxy.start({ sites, addsPath: false, host: c3Host, device: a5.address }));
    for (const site of [two.c1, two.c2]) {
      await addThirdParty(site, 'c3', c3Host);
      await addRoute(site, a5Number, c3.address);
    }
    for (const site of sites) await c3.waitForSite(site, 'living');
  }, setupMsMax);
  afterAll(() => stack.disposeAsync());
  beforeEach(({ skip }) => {
    const absent = missing('sipp', 'kamailio');
    skip(absent !== undefined, absent);
  });

  const kinds: readonly Kind[] = [
    {
      name: 'sipp',
      missing: () => undefined,
      start: (user, site) => SippPhone.start(user, site),
    },
    {
      name: 'linphonec',
      missing: () => missing('linphonec'),
      start: (user, site) => Linphonec.start({ user, site }),
    },
    {
      name: 'baresip',
      missing: () => missing('baresip') ?? noNamespace,
      start: (user, site) => {
        if (!network) throw new Error(noNamespace);
        return Baresip.start({ user, sites: [site], network });
      },
    },
  ];

  /** A phone of the user is registered there, and every site that lives knows. */
  async function at(site: TestSite, user: SipUser, kind: Kind, phones: AsyncDisposableStack): Promise<Phone> {
    const phone = phones.use(await kind.start(user, await sipAddressOf(site)));
    await phone.registered();
    for (const each of living)
      await each.waitFor(
        `${user.name} to be known`,
        async () => (await flowsOf(user, each, site)).length > 0,
      );
    return { user, phone };
  }

  /** A1 and A2 of c1 and A3 of c2, whom no test before had, call from these sites. */
  async function play(
    kind: Kind,
    skip: TestContext['skip'],
    [site1, site2, site3]: readonly [TestSite, TestSite, TestSite],
    calls: (devices: Devices) => Promise<void>,
  ): Promise<void> {
    const absent = kind.missing();
    skip(absent !== undefined, absent);
    used += 1;
    const [user1, user2, user3] = [ofC1[2 * used - 2], ofC1[2 * used - 1], ofC2[used - 1]];
    if (!user1 || !user2 || !user3) throw new Error('no users left');
    await using phones = new AsyncDisposableStack();
    const a1 = await at(site1, user1, kind, phones);
    const a2 = await at(site2, user2, kind, phones);
    const a3 = await at(site3, user3, kind, phones);
    await calls({ a1, a2, a3 });
  }

  const call = ({ phone }: Phone, { user, phone: callee }: Phone): Promise<void> =>
    talk(phone, callee, `sip:${aorOf(user)}`);

  async function callA5({ phone }: Phone): Promise<void> {
    await phone.call(`sip:${a5Number}@${domainOfUsers}`);
    phone.hangUp();
  }

  async function a5Calls({ user, phone }: Phone): Promise<void> {
    await runSipp({ scenario: 'uac', target: c3.address, host: c3Host, users: [user], calls: 1 });
    await phone.answered();
    await phone.hungUp();
  }

  /** Where M15 begins: everybody at home. */
  async function callFromHome({ a1, a2, a3 }: Devices): Promise<void> {
    await call(a1, a2);
    await call(a1, a3);
    await call(a3, a1);
    await callA5(a1);
    await callA5(a3);
    await a5Calls(a1);
    await a5Calls(a3);
  }

  /** The calls of (a) and of (b), which differ in who is where. */
  async function callMoved({ a1, a2, a3 }: Devices): Promise<void> {
    await call(a1, a2);
    await call(a2, a1);
    await call(a3, a1);
    await callA5(a1);
    await a5Calls(a1);
  }

  it.for(kinds)('$name: everybody at home', (kind, { skip }) =>
    play(kind, skip, [two.c1, two.c1, two.c2], callFromHome),
  );

  it.for(kinds)('$name: (b) A1 alone at c2', (kind, { skip }) =>
    play(kind, skip, [two.c2, two.c1, two.c2], callMoved),
  );

  describe('(a) c1 is dead', () => {
    beforeAll(async () => {
      await killSite(two.c1.layout);
      living = [two.c2];
    });

    it.for(kinds)('$name: everybody at c2', (kind, { skip }) =>
      play(kind, skip, [two.c2, two.c2, two.c2], callMoved),
    );
  });
});
