import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';
import { takePortBlock } from '../../../services/site/port-block.ts';
import { killSite } from '../../../services/cli/demo/kill-site.ts';
import { Baresip } from '../../support/clients/baresip.ts';
import { missing } from '../../support/clients/installed.ts';
import type { ForeignProgram } from '../../support/clients/installed.ts';
import { FailoverProxy } from '../../support/clients/kamailio/failover-proxy.ts';
import { Linphonec } from '../../support/clients/linphonec.ts';
import type { SipAddress } from '../../support/clients/sip-address.ts';
import { addUsers, flowsOf, sipAddressOf } from '../../support/clients/sip-sites.ts';
import { runSipp } from '../../support/clients/sipp.ts';
import { sipsakOptions, sipsakRegister } from '../../support/clients/sipsak.ts';
import { aorOf, aUser, usersFrom } from '../../support/clients/users.ts';
import type { SipUser } from '../../support/clients/users.ts';
import { NetworkNamespace } from '../../support/network-namespace.ts';
import { TwoSites } from '../../support/two-sites.ts';

const users = usersFrom(1, 20);
const expires = 300;
const setupMsMax = 120_000;

describe('clients of others register with two sites', () => {
  const stack = new AsyncDisposableStack();
  const noNamespace = NetworkNamespace.missing();
  let network: NetworkNamespace | undefined;
  let two: TwoSites;
  let sites: readonly [SipAddress, SipAddress];
  let port: number;

  beforeAll(async () => {
    if ((await noNamespace) === undefined) network = stack.use(await NetworkNamespace.create());
    two = stack.use(await TwoSites.start({ host: network?.hostAddress }));
    await addUsers(two, users);
    port = stack.use(await takePortBlock()).first;
    sites = [await sipAddressOf(two.c1), await sipAddressOf(two.c2)];
  }, setupMsMax);
  afterAll(() => stack.disposeAsync());

  /** Skips the test, and says so, where one of the programs is not installed. */
  const needs = (skip: TestContext['skip'], ...programs: readonly ForeignProgram[]): void => {
    const absent = missing(...programs);
    skip(absent !== undefined, absent);
  };

  const register = (
    user: SipUser,
    target: SipAddress,
    options: { sequence?: number; expires?: number } = {},
  ) =>
    runSipp({
      scenario: 'register',
      target,
      users: [user],
      calls: 1,
      port,
      callId: `of-${user.name}-%u`,
      sequence: options.sequence,
      keywords: { expires: options.expires ?? expires },
    });

  /** Waits until c2 knows as many bindings that c1 has taken. */
  const knownAtC2 = (user: SipUser, count: number): Promise<void> =>
    two.c2.waitFor(
      `${count} bindings of ${user.name}`,
      async () => (await flowsOf(user, two.c2, two.c1)).length === count,
    );

  it('sipp registers with digest, refreshes, and takes it back', async ({ skip }) => {
    needs(skip, 'sipp');
    const user = aUser(1);
    await register(user, sites[0], { sequence: 1 });
    const first = await flowsOf(user, two.c1, two.c1);
    expect(first).toEqual([{ contact: `sip:${user.name}@127.0.0.1:${port}`, path: [], regId: 0 }]);
    await knownAtC2(user, 1);
    await register(user, sites[0], { sequence: 11 });
    expect(await flowsOf(user, two.c1, two.c1)).toEqual(first);
    await register(user, sites[0], { sequence: 21, expires: 0 });
    expect(await flowsOf(user, two.c1, two.c1)).toEqual([]);
    await knownAtC2(user, 0);
  });

  it('sipp registers at the backup while home lives', async ({ skip }) => {
    needs(skip, 'sipp');
    const user = aUser(2);
    await register(user, sites[1]);
    expect(await flowsOf(user, two.c2, two.c2)).toHaveLength(1);
  });

  it('sipsak asks, registers under the address of the site, and takes it back', async ({ skip }) => {
    needs(skip, 'sipsak');
    const user = aUser(3);
    for (const target of sites) {
      const asked = await sipsakOptions(target);
      expect(asked.isDone, asked.output).toBe(true);
    }
    const registration = { user, target: sites[0], contact: { host: '127.0.0.1', port } };
    const { isDone, output } = await sipsakRegister({ ...registration, expiresS: expires });
    expect(isDone, output).toBe(true);
    expect(await flowsOf(user, two.c1, two.c1)).toHaveLength(1);
    const wrong = { ...registration, user: { ...user, password: 'wrong' } };
    expect((await sipsakRegister({ ...wrong, expiresS: 0 })).isDone).toBe(false);
    expect(await flowsOf(user, two.c1, two.c1)).toHaveLength(1);
    await sipsakRegister({ ...registration, expiresS: 0 });
    expect(await flowsOf(user, two.c1, two.c1)).toEqual([]);
  });

  it('linphone registers, and takes it back when it quits', async ({ skip }) => {
    needs(skip, 'linphonec');
    const user = aUser(4);
    await using phone = await Linphonec.start({ user, site: sites[0] });
    await phone.registered();
    expect(await flowsOf(user, two.c1, two.c1)).toHaveLength(1);
    await phone.quit();
    expect(await flowsOf(user, two.c1, two.c1)).toEqual([]);
  });

  it('baresip registers at both sites at once, as two flows of one instance (RFC 5626), and is called', async ({
    skip,
  }) => {
    const absent = missing('baresip') ?? (await noNamespace);
    if (!network) return skip(absent);
    const user = aUser(5);
    await using phone = await Baresip.start({ user, sites, network });
    await phone.registered(1);
    await phone.registered(2);
    expect(await flowsOf(user, two.c1, two.c1)).toMatchObject([{ regId: 1 }]);
    expect(await flowsOf(user, two.c2, two.c2)).toMatchObject([{ regId: 2 }]);
    await two.c1.waitFor('the flow at the peer', async () =>
      (await flowsOf(user, two.c1, two.c2)).some(({ regId }) => regId === 2),
    );

    const [, backup] = sites;
    await using other = await Baresip.start({ user: aUser(8), sites: [backup], network });
    await other.registered(1);
    await other.call(`sip:${aorOf(user)}`);
    await phone.answered();
  });

  it('a Kamailio before the devices adds Path, and fails over', async ({ skip }) => {
    needs(skip, 'kamailio', 'sipp');
    const user = aUser(6);
    await using edge = await FailoverProxy.start({ sites, addsPath: true });
    for (const site of sites) await edge.waitForSite(site, 'living');
    await register(user, edge.address, { sequence: 1 });
    const [flow] = await flowsOf(user, two.c1, two.c1);
    expect(flow?.path).toEqual([expect.stringContaining(`127.0.0.1:${edge.address.port};lr`)]);

    await killSite(two.c1.layout);
    await register(user, edge.address, { sequence: 11 });
    expect((await flowsOf(user, two.c2, two.c2))[0]?.path).toEqual(flow?.path);
    await edge.waitForSite(sites[0], 'dead');
    // Who goes to the other site himself is served as well.
    await register(aUser(7), sites[1]);
    expect(await flowsOf(aUser(7), two.c2, two.c2)).toHaveLength(1);
  });
});
