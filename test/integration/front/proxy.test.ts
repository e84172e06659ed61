import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SubscriberRow } from '../../../services/processor/calls/configuration.ts';
import { callConfiguration, routeRow, subscriberRow } from '../../support/call-configuration.ts';
import { DnsServer } from '../../support/dns-server.ts';
import { linkLostAt, openSites } from '../../support/proxy-bed.ts';
import type { ProxyBed, ProxyBeds, SiteName } from '../../support/proxy-bed.ts';
import { SoftPhone } from '../../support/soft-phone.ts';
import type { PhoneOptions } from '../../support/soft-phone.ts';
import { freePort } from '../../support/free-port.ts';
import { UdpClient } from '../../support/sip-clients.ts';

/** Alice at home at c1, Bob and Carol at c2, one domain; Eve at c3, a third party. */
const ofC2Rows = ['bob', 'carol'].map((user) =>
  subscriberRow(`${user}@example.com`, { home_site: 'c2', backup_site: 'c1' }),
);
/** Changed by tests: what Dora, at home at c1, wants done with her calls. */
let dora: SubscriberRow = subscriberRow('dora@example.com');

let sites: ProxyBeds;
let deadPorts: number[];
let dns: DnsServer;

beforeAll(async () => {
  deadPorts = await Promise.all([freePort(), freePort()]);
  dns = await DnsServer.open();
  sites = await openSites(({ c1, c2, c3 }) => {
    const thirdParty = (name: string, { host, port }: { host: string; port: number }) => ({
      name,
      addresses: [`${host}:${port}`],
      transport: 'udp',
      certificate_sha256: null,
      probe: false,
    });
    const uri = ({ host, port }: { host: string; port: number }) => `sip:${host}:${port}`;
    const all = {
      class_of_service: ['national', 'dead'],
      display_name: 'Alice',
    };
    const home = callConfiguration({
      subscribers: [subscriberRow('alice@example.com', all)],
      numbers: { '+49301001': 'alice@example.com' },
      routes: [
        routeRow('+44', { next_hops: [uri(c3)] }),
        routeRow('+33', { class: 'dead', next_hops: deadPorts.map((port) => `sip:127.0.0.1:${port}`) }),
        routeRow('+34', { next_hops: ['sip:carrier.example;transport=udp'] }),
        routeRow('+1', { class: 'international', next_hops: [uri(c3)] }),
        routeRow('112', { class: 'emergency', emergency: true, next_hops: [uri(c3)] }),
      ],
      thirdParties: [thirdParty('c3', c3)],
    });
    const ofC1 = {
      ...home,
      subscriber: async (aor: string) => (aor === dora.aor ? dora : home.subscriber(aor)),
    };
    const ofC2 = {
      ...callConfiguration({ subscribers: ofC2Rows, thirdParties: [thirdParty('c3', c3)] }),
      owner: 'c2',
    };
    const ofC3 = {
      ...callConfiguration({
        domains: [
          { name: 'c3.example', realm: 'c3.example', aliases: [`127.0.0.1:${c3.port}`, 'carrier.example'] },
        ],
        subscribers: [subscriberRow('eve@c3.example', { class_of_service: ['pair'], home_site: 'c3' })],
        numbers: {
          '+44200': 'eve@c3.example',
          '+34200': 'eve@c3.example',
          '112@c3.example': 'eve@c3.example',
        },
        routes: [routeRow('+4930', { class: 'pair', next_hops: [uri(c1), uri(c2)] })],
        thirdParties: [thirdParty('c1', c1), thirdParty('c2', c2)],
      }),
      owner: 'c3',
    };
    return { c1: [ofC1, ofC2], c2: [ofC2, ofC1], c3: [ofC3] };
  }, dns.address);
  sites.stack.use(dns);
});
afterAll(() => sites.stack.disposeAsync());

type At = SiteName | readonly SiteName[];

/** A phone registered at one site; known there and, of the pair, at the other. */
async function phoneAt(
  user: string,
  site: SiteName,
  use: AsyncDisposableStack,
  options: Partial<PhoneOptions> & { readonly knownAt?: At } = {},
): Promise<SoftPhone> {
  const { knownAt = ['c1', 'c2'], ...rest } = options;
  const phone = use.use(await SoftPhone.open({ user, ...rest }));
  const bed = sites[site];
  const binding = bed.bind(phone);
  const others = [knownAt].flat().filter((name) => name !== site && site !== 'c3');
  for (const name of others) sites[name].learn(binding);
  use.defer(() => {
    for (const name of [site, ...others]) sites[name].forget(binding);
  });
  return phone;
}

const eveAt = (use: AsyncDisposableStack) => phoneAt('eve', 'c3', use, { domain: 'c3.example' });

/** Registers a phone that is there already at another site, and nowhere else any more. */
function move(phone: SoftPhone, to: ProxyBed, use: AsyncDisposableStack): void {
  for (const bed of [sites.c1, sites.c2]) bed.forgetAll(phone.aor);
  const binding = to.bind(phone);
  for (const bed of [sites.c1, sites.c2]) if (bed !== to) bed.learn(binding);
  use.defer(() => {
    for (const bed of [sites.c1, sites.c2]) bed.forget(binding);
  });
}

describe('a call', () => {
  test.each([
    ['at one site', 'c1', 'c1'],
    ['from c1 to c2', 'c1', 'c2'],
    ['from c2 to c1', 'c2', 'c1'],
  ] as const)('%s is rung, answered, changed and ended by either side', async (_, from, to) => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', from, use);
    const bob = await phoneAt('bob', to, use);

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

  test('that is answered again after it is over, because an ACK was lost, is answered again upstream', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const bob = await phoneAt('bob', 'c2', use);
    const call = alice.call('bob');
    const incoming = await bob.ringing();
    await Promise.all([call.answered(), incoming.accept()]);
    const { callId } = await call.finals.next();
    expect([sites.c1.running, sites.c2.running]).toEqual([0, 0]);
    bob.respond(incoming, 200);
    expect(await call.finals.next()).toMatchObject({ status: 200, callId });
  });

  test('rings every device at both sites; one answers, the other is cancelled', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const [desk, cell] = [await phoneAt('bob', 'c1', use), await phoneAt('bob', 'c2', use)];
    const call = alice.call('bob');
    const [atDesk, atCell] = [(await desk.ringing()).ring(), (await cell.ringing()).ring()];
    await Promise.all([call.answered(), atCell.accept()]);
    await atDesk.wasCancelled;
  });

  test('is cancelled', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const bob = await phoneAt('bob', 'c2', use);
    const call = alice.call('bob');
    const incoming = (await bob.ringing()).ring();
    await call.provisional(180);
    call.cancel();
    await incoming.wasCancelled;
    expect(await call.status()).toBe(487);
  });

  test('to nobody is answered 404, to who is not registered 480, to who is busy 486', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    expect(await alice.call('nobody').status()).toBe(404);
    expect(await alice.call('bob').status()).toBe(480);
    const bob = await phoneAt('bob', 'c2', use);
    const call = alice.call('bob');
    (await bob.ringing()).reject(486);
    expect(await call.status()).toBe(486);
  });

  test('reaches a device that registers while another rings', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const desk = await phoneAt('bob', 'c1', use);
    const call = alice.call('bob');
    (await desk.ringing()).ring();
    await call.provisional(180);
    const cell = await phoneAt('bob', 'c2', use);
    await Promise.all([call.answered(), (await cell.ringing()).accept()]);
  });

  test('that each site believes the other has the device of ends, and does not circle', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const bob = use.use(await SoftPhone.open({ user: 'bob' }));
    const binding = sites.c2.bind(bob);
    sites.c2.forget(binding);
    sites.c1.learn(binding);
    sites.c2.learn({ ...binding, site: 'c1' });
    use.defer(() => [sites.c1, sites.c2].forEach((bed) => bed.forgetAll(bob.aor)));
    const seenAtC2 = sites.c2.records.length;
    expect(await alice.call('bob').status()).toBe(480);
    expect(sites.c2.records).toHaveLength(seenAtC2);
  });

  test('goes to the next binding of a device whose newest flow failed', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const bob = await phoneAt('bob', 'c1', use);
    const stale = { ...sites.c2.bind(bob) };
    sites.c2.forget(stale);
    sites.c1.learn(stale);
    use.defer(() => sites.c1.forget(stale));
    const call = alice.call('bob');
    await Promise.all([call.answered(), (await bob.ringing()).accept()]);
  });
});

describe('while the link is down', () => {
  test('known flows at the peer are tried, and its home site once for who is known nowhere', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const bob = await phoneAt('bob', 'c2', use);
    const carol = await phoneAt('carol', 'c2', use, { knownAt: [] });
    sites.c1.state.isLinkUp = false;
    use.defer(() => void (sites.c1.state.isLinkUp = true));
    for (const [user, phone] of [
      ['bob', bob],
      ['carol', carol],
    ] as const) {
      const call = alice.call(user);
      const incoming = (await phone.ringing()).ring();
      const [hers, his] = await Promise.all([call.answered(), incoming.accept()]);
      expect(await hers.bye()).toBe(200);
      expect((await his.requests.next()).method).toBe('BYE');
    }
  });

  test('local calls go on, and who is nowhere is answered 480', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const bob = await phoneAt('bob', 'c1', use, { knownAt: [] });
    sites.c1.state.isLinkUp = false;
    use.defer(() => void (sites.c1.state.isLinkUp = true));
    const call = alice.call('bob');
    await Promise.all([call.answered(), (await bob.ringing()).accept()]);
    expect(await alice.call('carol').status()).toBe(480);
  });
});

describe('a device that moves to the other site during a call', () => {
  test.each([
    ['the caller', 'alice'],
    ['the called', 'bob'],
    ['both', 'alice bob'],
  ])('%s: requests follow it, both ways', async (_, who) => {
    await using use = new AsyncDisposableStack();
    const phones = {
      alice: await phoneAt('alice', 'c1', use),
      bob: await phoneAt('bob', 'c1', use),
    };
    const call = phones.alice.call('bob');
    const [hers, his] = await Promise.all([call.answered(), (await phones.bob.ringing()).accept()]);
    for (const name of who.split(' ') as ('alice' | 'bob')[]) move(phones[name], sites.c2, use);
    expect(await hers.request('INVITE')).toBe(200);
    expect((await his.requests.next()).method).toBe('INVITE');
    expect(await his.request('UPDATE')).toBe(200);
    expect((await hers.requests.next()).method).toBe('UPDATE');
    expect(await his.bye()).toBe(200);
    expect((await hers.requests.next()).method).toBe('BYE');
  });
});

describe('a processor that is down', () => {
  test('costs its own subscribers their calls, which get 503, and nobody else', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const bob = await phoneAt('bob', 'c1', use);
    sites.c1.state.down.add('c1');
    use.defer(() => void sites.c1.state.down.delete('c1'));
    const refused = await alice.call('bob').response();
    expect([refused.status, refused.has('retry-after')]).toEqual([503, false]);
    const carol = await phoneAt('carol', 'c2', use);
    const call = bob.call('carol');
    await Promise.all([call.answered(), (await carol.ringing()).accept()]);
  });

  test('does not keep calls from its subscribers: they go by the peer', async () => {
    await using use = new AsyncDisposableStack();
    const bob = await phoneAt('bob', 'c1', use);
    const alice = await phoneAt('alice', 'c2', use);
    sites.c1.state.down.add('c1');
    use.defer(() => void sites.c1.state.down.delete('c1'));
    const call = bob.call('alice');
    await Promise.all([call.answered(), (await alice.ringing()).accept()]);
  });
});

describe('a third party', () => {
  test('calls and is called, by number, and its calls end both ways', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const eve = await eveAt(use);
    for (const [from, to, number] of [
      [alice, eve, '+44200'],
      [eve, alice, '+49301001'],
    ] as const) {
      const call = from.call(number);
      const [theirs, hers] = await Promise.all([call.answered(), (await to.ringing()).accept()]);
      expect(await theirs.request('INVITE')).toBe(200);
      expect(await hers.bye()).toBe(200);
      expect((await theirs.requests.next()).method).toBe('BYE');
    }
  });

  test('reaches a subscriber at c2, over c1 and, while c1 is out of reach of him, over c2', async () => {
    await using use = new AsyncDisposableStack();
    const eve = await eveAt(use);
    const alice = await phoneAt('alice', 'c2', use);
    const over1 = eve.call('+49301001');
    await Promise.all([over1.answered(), (await alice.ringing()).accept()]);
    expect(sites.c3.records.at(-1)?.targets).toHaveLength(1);
    sites.c1.state.down.add('c1').add('c2');
    use.defer(() => sites.c1.state.down.clear());
    const over2 = eve.call('+49301001');
    await Promise.all([over2.answered(), (await alice.ringing()).accept()]);
    expect(sites.c3.records.at(-1)?.targets).toHaveLength(2);
  });

  test('gets no further than to subscribers, unless a route is open to transit', async () => {
    await using use = new AsyncDisposableStack();
    const eve = await eveAt(use);
    const { port } = sites.c1.server;
    expect(await eve.call(`sip:+44200@127.0.0.1:${port}`).status()).toBe(404);
    await using stranger = await SoftPhone.open({ user: 'x', domain: 'elsewhere.org' }, sites.c1.server);
    expect(await stranger.call('sip:alice@example.com').status()).toBe(403);
  });
});

describe('a route', () => {
  test('whose next hops are all dead is given up after 2 s each', async () => {
    await using use = new AsyncDisposableStack();
    const silent = await Promise.all(deadPorts.map((port) => silentAt(port, use)));
    const alice = await phoneAt('alice', 'c1', use);
    const startMs = performance.now();
    expect(await alice.call('+331').status()).toBe(504);
    expect(performance.now() - startMs).toBeGreaterThan(3_900);
    expect(silent.every((hop) => hop.size > 0)).toBe(true);
  });

  test('to a name is given to its servers in the order of their SRV records, the next where one is silent', async () => {
    await using use = new AsyncDisposableStack();
    const [port = 0] = deadPorts;
    const silent = await silentAt(port, use);
    const server = (priority: number, target: string, at: number) =>
      ({ type: 'SRV', priority, weight: 1, port: at, target }) as const;
    dns.zone.set('_sip._udp.carrier.example', [
      server(2, 'b.carrier.example', sites.c3.server.port),
      server(1, 'a.carrier.example', port),
    ]);
    for (const name of ['a.carrier.example', 'b.carrier.example'])
      dns.zone.set(name, [{ type: 'A', address: '127.0.0.1' }]);
    const alice = await phoneAt('alice', 'c1', use);
    const eve = await eveAt(use);
    const call = alice.call('+34200');
    const [hers, theirs] = await Promise.all([call.answered(), (await eve.ringing()).accept()]);
    expect(silent.size).toBeGreaterThan(0);
    expect(await theirs.bye()).toBe(200);
    expect((await hers.requests.next()).method).toBe('BYE');
  });

  test('is open to its class alone; emergency numbers are open to all', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c2', use);
    expect(await alice.call('+12125550100').status()).toBe(403);
    const eve = await eveAt(use);
    const call = alice.call('112');
    await Promise.all([call.answered(), (await eve.ringing()).accept()]);
  });
});

describe('a subscriber who forwards', () => {
  const forwarding = (fields: Partial<SubscriberRow>, use: AsyncDisposableStack): void => {
    dora = subscriberRow('dora@example.com', fields);
    use.defer(() => void (dora = subscriberRow('dora@example.com')));
  };

  test.each(['c1', 'c2'] as const)('always, busy, unreachable: at %s', async (site) => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', site, use);
    const bob = await phoneAt('bob', 'c2', use);
    const phone = await phoneAt('dora', 'c1', use);
    for (const [fields, before] of [
      [{ forward_always: 'sip:bob@example.com' }, async () => undefined],
      [{ forward_busy: 'sip:bob@example.com' }, async () => (await phone.ringing()).reject(486)],
      [{ forward_unreachable: 'sip:bob@example.com' }, async () => (await phone.ringing()).reject(480)],
    ] as const) {
      forwarding(fields, use);
      const call = alice.call('dora');
      await before();
      const incoming = await bob.ringing();
      expect(incoming.request.values('history-info')[1]).toMatch(/^<sip:bob@example\.com;cause=\d+>/);
      await Promise.all([call.answered(), incoming.accept()]);
    }
  });

  test('when nobody answers', async () => {
    await using use = new AsyncDisposableStack();
    forwarding({ forward_no_answer: 'sip:bob@example.com', forward_no_answer_seconds: 1 }, use);
    const alice = await phoneAt('alice', 'c1', use);
    const bob = await phoneAt('bob', 'c2', use);
    const phone = await phoneAt('dora', 'c1', use);
    const call = alice.call('dora');
    const ringing = (await phone.ringing()).ring();
    await Promise.all([call.answered(), (await bob.ringing()).accept()]);
    await ringing.wasCancelled;
  });

  test('by his own class of service, and never in a circle', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    forwarding({ forward_always: '+44200' }, use);
    expect(await alice.call('dora').status()).toBe(403);
    forwarding({ forward_always: 'sip:dora@example.com' }, use);
    expect(await alice.call('dora').status()).toBe(482);
  });
});

describe('who may not', () => {
  test('call: without credentials, with wrong ones, as somebody else', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    await phoneAt('bob', 'c1', use);
    expect(await alice.call('bob', { anonymous: true }).status()).toBe(407);
    expect(await alice.call('bob', { from: '<sip:bob@example.com>' }).status()).toBe(403);
    const asserted = [['P-Asserted-Identity', '<sip:bob@example.com>']] as const;
    expect(await alice.call('bob', { headers: asserted }).status()).toBe(403);
    const thief = use.use(await SoftPhone.open({ user: 'alice', password: 'guessed' }, sites.c1.server));
    expect(await thief.call('bob').status()).toBe(407);
  });

  test.each([
    [
      'a To tag made up',
      (server: string) => ({ to: `<sip:bob@example.com>;tag=1`, route: `<sip:${server};lr>` }),
    ],
    [
      'a token made up',
      (server: string) => ({
        to: '<sip:bob@example.com>;tag=1',
        route: `<sip:${'A'.repeat(120)}@${server};lr>`,
      }),
    ],
  ])('pass with %s', async (_, make) => {
    await using use = new AsyncDisposableStack();
    const bob = await phoneAt('bob', 'c1', use);
    const thief = use.use(await SoftPhone.open({ user: 'x' }, sites.c1.server));
    const { to, route } = make(`127.0.0.1:${sites.c1.server.port}`);
    const response = await thief.request('INVITE', bob.contact, {
      to,
      headers: [['Route', route]],
      anonymous: true,
    });
    expect(response === 'timeout' ? 0 : response.status).toBe(407);
    expect(bob.incoming.size + bob.requests.size).toBe(0);
  });

  test('lead a request on by a preloaded Route, credentials or not', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const target = use.use(await UdpClient.open(sites.c1.server.port));
    const headers = [['Route', `<sip:127.0.0.1:${target.port};lr>`]] as const;
    expect(await alice.call('bob', { headers }).status()).toBe(403);
    expect(target.datagrams.size).toBe(0);
  });

  test('use the token of one dialog in another, nor name a flow or callee as only a peer may', async () => {
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    const bob = await phoneAt('bob', 'c1', use);
    const call = alice.call('bob');
    const [hers] = await Promise.all([call.answered(), (await bob.ringing()).accept()]);
    const token = [['Route', hers.routes[0] ?? '']] as const;
    const to = '<sip:bob@example.com>;tag=1';
    const stolen = await alice.request('INVITE', bob.contact, { to, headers: token, anonymous: true });
    expect(stolen === 'timeout' ? 0 : stolen.status).toBe(407);
    const edge = [['Route', `<${sites.c1.edgeOf(bob)}>`]] as const;
    const delivered = await alice.request('MESSAGE', bob.contact, { headers: edge, anonymous: true });
    expect(delivered === 'timeout' ? 0 : delivered.status).toBe(407);
    expect(bob.incoming.size + bob.requests.size).toBe(0);
  });
});

describe('a call that an operator asks about', () => {
  const lostAt = linkLostAt.toISOString();

  test('is explained to its devices, which do not ring', async () => {
    await using use = new AsyncDisposableStack();
    const bob = await phoneAt('bob', 'c2', use);
    const desk = await phoneAt('bob', 'c1', use);
    const device = ({ instance }: SoftPhone, site: SiteName, unknownSince: string | null) => ({
      kind: 'device',
      aor: 'bob@example.com',
      device: instance,
      site,
      order: 1,
      unknownSince,
    });
    expect(await sites.c1.explain('alice@example.com', 'bob')).toMatchObject({
      steps: [
        'the processor of c1 decides about the caller',
        'alice@example.com is a subscriber of c1',
        'bob@example.com means bob@example.com',
        'the processor of c2 knows the callee',
        'bob@example.com is bob@example.com, a subscriber of c2',
        expect.stringMatching(/ is rung at once: registered here$/),
        expect.stringMatching(/ is rung at once: registered at c2, via its front$/),
      ],
      targets: [device(desk, 'c1', null), device(bob, 'c2', null)],
      refusal: null,
    });
    sites.c1.state.isLinkUp = false;
    use.defer(() => void (sites.c1.state.isLinkUp = true));
    expect((await sites.c1.explain('alice@example.com', 'bob')).targets).toMatchObject([
      device(desk, 'c1', null),
      device(bob, 'c2', lostAt),
    ]);
    expect([bob, desk].every(({ incoming }) => incoming.size === 0)).toBe(true);
  });

  test.each([
    ['in a class that is not his', '+12125550100', { status: 403 }],
    ['to nobody', 'nobody', { status: 404, reason: 'Not Found' }],
    ['to who is not registered', 'carol', { status: 480, reason: 'No device is registered' }],
  ])('%s is explained to be refused as it would be', async (_, called, refusal) => {
    const explained = await sites.c1.explain('alice@example.com', called);
    expect(explained).toMatchObject({ targets: [], refusal });
    expect(explained.steps.at(-1)).toMatch(`the caller is told ${refusal.status} `);
    await using use = new AsyncDisposableStack();
    const alice = await phoneAt('alice', 'c1', use);
    expect(await alice.call(called).status()).toBe(refusal.status);
  });

  test('by a route is explained hop by hop, and by a forwarding to where it leads', async () => {
    const { c3 } = sites;
    const uri = `sip:127.0.0.1:${c3.server.port}`;
    const hop = { kind: 'next-hop', uri, server: `udp:127.0.0.1:${c3.server.port}`, order: 1 };
    const explained = await sites.c1.explain('alice@example.com', '+44200');
    expect(explained).toMatchObject({ targets: [hop], refusal: null });
    expect(explained.steps).toContain(`next hop 1 of route +44, ${uri}, is not probed: it is tried`);
    await using use = new AsyncDisposableStack();
    await phoneAt('bob', 'c2', use);
    dora = subscriberRow('dora@example.com', { forward_always: 'sip:bob@example.com' });
    use.defer(() => void (dora = subscriberRow('dora@example.com')));
    const forwarded = await sites.c1.explain('alice@example.com', 'dora');
    expect(forwarded.steps).toContain('the call goes on to bob@example.com');
    expect(forwarded.targets).toMatchObject([{ kind: 'device', aor: 'bob@example.com', site: 'c2' }]);
  });

  test('by a stranger is refused', async () => {
    const { refusal } = await sites.c1.explain('mallory@example.com', 'bob');
    expect(refusal).toEqual({ status: 403, reason: 'Forbidden' });
  });
});

test('any method is routed, and nothing is left behind', async () => {
  await using use = new AsyncDisposableStack();
  const alice = await phoneAt('alice', 'c1', use);
  const bob = await phoneAt('bob', 'c2', use);
  const response = await alice.request('MESSAGE', 'sip:bob@example.com');
  expect(response === 'timeout' ? 0 : response.status).toBe(200);
  expect((await bob.requests.next()).method).toBe('MESSAGE');
  expect([sites.c1.running, sites.c2.running, sites.c3.running]).toEqual([0, 0, 0]);
});

/** Something that takes datagrams and says nothing. */
async function silentAt(port: number, use: AsyncDisposableStack): Promise<{ readonly size: number }> {
  const client = use.use(await UdpClient.open(0, port));
  return client.datagrams;
}
