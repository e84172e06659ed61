import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { killSite } from '../../../services/cli/demo/kill-site.ts';
import { missing } from '../../support/clients/installed.ts';
import { FailoverProxy } from '../../support/clients/kamailio/failover-proxy.ts';
import { Linphonec } from '../../support/clients/linphonec.ts';
import type { SipAddress } from '../../support/clients/sip-address.ts';
import { addThirdParty, addUsers, flowsOf, sipAddressOf } from '../../support/clients/sip-sites.ts';
import { SippCallee } from '../../support/clients/sipp-callee.ts';
import { runSipp } from '../../support/clients/sipp.ts';
import { aorOf, aUser, usersFrom } from '../../support/clients/users.ts';
import type { SipUser } from '../../support/clients/users.ts';
import { TwoSites } from '../../support/two-sites.ts';

const users = usersFrom(1, 10);
const setupMsMax = 120_000;
/** The third party C3 has an address that nobody else has. */
const thirdParty = '127.0.0.3';

describe('clients of others call through two sites', () => {
  const stack = new AsyncDisposableStack();
  let two: TwoSites;
  let sites: readonly [SipAddress, SipAddress];

  beforeAll(async () => {
    two = stack.use(await TwoSites.start({ direct: true }));
    for (const site of [two.c1, two.c2]) await addThirdParty(site, 'c3', thirdParty);
    await addUsers(two, users);
    sites = [await sipAddressOf(two.c1), await sipAddressOf(two.c2)];
  }, setupMsMax);
  afterAll(() => stack.disposeAsync());
  beforeEach(({ skip }) => {
    const absent = missing('sipp');
    skip(absent !== undefined, absent);
  });

  const call = (target: SipAddress, user: SipUser, calls = 3) =>
    runSipp({ scenario: 'uac', target, host: thirdParty, users: [user], calls });

  /** Waits until c1 knows that the user is at c2. */
  const known = (user: SipUser): Promise<void> =>
    two.c1.waitFor(
      `the registration of ${user.name} at c2`,
      async () => (await flowsOf(user, two.c1, two.c2)).length > 0,
    );

  it('a third party calls a user at home, and one at his backup through home', async () => {
    await using _home = await SippCallee.start(sites[0], [aUser(1)]);
    expect((await call(sites[0], aUser(1))).responseTimesMs).toHaveLength(3);
    await using _backup = await SippCallee.start(sites[1], [aUser(2)]);
    await known(aUser(2));
    expect((await call(sites[0], aUser(2))).responseTimesMs).toHaveLength(3);
    expect((await call(sites[1], aUser(2))).responseTimesMs).toHaveLength(3);
  });

  it('linphone calls linphone, each at another site', async ({ skip }) => {
    const absent = missing('linphonec');
    skip(absent !== undefined, absent);
    await using callee = await Linphonec.start({ user: aUser(3), site: sites[1] });
    await callee.registered();
    await known(aUser(3));
    await using caller = await Linphonec.start({ user: aUser(4), site: sites[0] });
    await caller.registered();
    await caller.call(`sip:${aorOf(aUser(3))}`);
    await callee.answered();
    caller.hangUp();
    await callee.hungUp();
  });

  it('a Kamailio with two routes reaches a user by the second when the first is dead', async ({ skip }) => {
    const absent = missing('kamailio');
    skip(absent !== undefined, absent);
    await using c3 = await FailoverProxy.start({ sites, addsPath: false, host: thirdParty });
    for (const site of sites) await c3.waitForSite(site, 'living');
    await using callee = await SippCallee.start(sites[0], [aUser(5)]);
    await call(c3.address, aUser(5));

    await killSite(two.c1.layout);
    await callee.register(sites[1]);
    await call(c3.address, aUser(5), 1);
  });
});
