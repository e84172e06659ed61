import { describe, expect, it } from 'vitest';
import {
  destinationOf,
  subscriberDialler,
  thirdPartyDialler,
} from '../../../services/processor/calls/destination.ts';
import { locate } from '../../../services/processor/calls/locate.ts';
import { neighbour, thirdPartyAt } from '../../../services/processor/calls/neighbour.ts';
import { originate } from '../../../services/processor/calls/originate.ts';
import type { Authenticate } from '../../../services/processor/calls/originate.ts';
import type { ThirdPartyRow } from '../../../services/processor/calls/configuration.ts';
import type { OriginateFacts } from '../../../services/protocol/dispatch/call.ts';
import { callConfiguration, routeRow, subscriberRow } from '../../support/call-configuration.ts';

const c5: ThirdPartyRow = {
  name: 'c5',
  addresses: ['192.0.2.50:5060', '[2001:db8::5]'],
  transport: 'udp',
  certificate_sha256: null,
  probe: true,
};
const c6: ThirdPartyRow = {
  name: 'c6',
  addresses: ['192.0.2.60'],
  transport: 'tls',
  certificate_sha256: 'a'.repeat(64),
  probe: false,
};

const alice = subscriberRow('alice@example.com', { class_of_service: ['national'], display_name: 'Alice' });
const bob = subscriberRow('bob@example.com', { forward_busy: '0301111', forward_no_answer_seconds: 7 });
const configuration = callConfiguration({
  subscribers: [alice, bob, subscriberRow('1001@example.com')],
  numbers: {
    '+49301000': 'alice@example.com',
    '42@example.com': 'bob@example.com',
    '+49302000': 'bob@example.com',
  },
  routes: [
    routeRow('+', { class: 'international', next_hops: ['sip:192.0.2.60:5061;transport=tls'] }),
    routeRow('+49', { class: 'national', next_hops: ['sip:192.0.2.50', 'sip:192.0.2.51'] }),
    routeRow('+4989', { class: 'munich', transit: true }),
    routeRow('112', { class: 'emergency', emergency: true }),
    routeRow('*', { class: 'national' }),
  ],
  thirdParties: [c5, c6],
});

describe('a dialled number leads', () => {
  const from =
    (dialler: Parameters<typeof destinationOf>[1]) =>
    (user: string, host: string | null = 'example.com') =>
      destinationOf({ user, host, isHere: false }, dialler, configuration).destination;
  const byAlice = from(subscriberDialler(alice));

  it('to a name of the domain, whatever alias stands for it', () => {
    expect(byAlice('bob', '192.0.2.1:5060').callee).toEqual({ address: 'bob@example.com', number: null });
    expect(byAlice('42').callee).toEqual({ address: '42@example.com', number: '+493042' });
    expect(byAlice('bob', 'elsewhere.org')).toMatchObject({
      callee: { address: 'bob@elsewhere.org', number: null },
      route: null,
      refusal: { status: 404 },
    });
    expect(byAlice('030 1111', 'elsewhere.org').route).toBeNull();
  });

  it('out by the longest prefix', () => {
    expect(byAlice('0301111').route).toMatchObject({ prefix: '+49', class: 'national' });
    expect(byAlice('0301111').route?.nextHops.map(({ uri }) => uri)).toEqual([
      'sip:192.0.2.50',
      'sip:192.0.2.51',
    ]);
    expect(byAlice('0301111', null).route?.prefix).toBe('+49');
    expect(byAlice('*21').route?.prefix).toBe('*');
  });

  it('nowhere where the class of service does not allow it', () => {
    expect(byAlice('00441234')).toMatchObject({ route: null, refusal: { status: 403 } });
    expect(byAlice('0891234')).toMatchObject({ route: null, refusal: { status: 403 } });
  });

  it('out whatever the class where it is an emergency number, dialled whole', () => {
    const noClass = from(subscriberDialler(bob));
    expect(noClass('112')).toMatchObject({ isEmergency: true, route: { class: 'emergency' } });
    expect(noClass('112', null).isEmergency).toBe(true);
    expect(noClass('1123')).toMatchObject({ isEmergency: false, route: null });
    expect(noClass('112', 'elsewhere.org').isEmergency).toBe(false);
  });

  it('for a third party to numbers here, out again only by a transit route', () => {
    const byThirdParty = from(thirdPartyDialler);
    expect(byThirdParty('+49301000')).toMatchObject({
      callee: { number: '+49301000' },
      route: null,
      refusal: { status: 403 },
    });
    expect(byThirdParty('+49891000').route).toMatchObject({ class: 'munich' });
    expect(byThirdParty('bob').callee.address).toBe('bob@example.com');
    expect(byThirdParty('0301000').callee.number).toBeNull();
  });

  it('to next hops that are probed unless their site says otherwise', () => {
    const dialler = { ...subscriberDialler(alice), mayUse: () => true };
    const probes = (user: string) => from(dialler)(user).route?.nextHops.map(({ probe }) => probe);
    expect(probes('0301111')).toEqual([true, true]);
    expect(probes('00441234')).toEqual([false]);
    const unprobed = { ...configuration, thirdParties: [{ ...c5, probe: false }] };
    expect(
      destinationOf({ user: '0301111', host: null, isHere: false }, dialler, unprobed).destination.route
        ?.nextHops,
    ).toEqual([
      { uri: 'sip:192.0.2.50', probe: false },
      { uri: 'sip:192.0.2.51', probe: true },
    ]);
  });
});

describe('a neighbour is known', () => {
  const at = (address: string, port: number, transport: 'udp' | 'tcp' | 'tls', certificateSha256?: string) =>
    thirdPartyAt({ source: { transport, address, port }, certificateSha256: certificateSha256 ?? null }, [
      c5,
      c6,
    ])?.name;

  it('by address, port and transport of its datagrams', () => {
    expect(at('192.0.2.50', 5060, 'udp')).toBe('c5');
    expect(at('2001:db8::5', 40_000, 'udp')).toBe('c5');
    expect(at('192.0.2.50', 5061, 'udp')).toBeUndefined();
    expect(at('192.0.2.50', 5060, 'tcp')).toBeUndefined();
    expect(at('192.0.2.5', 5060, 'udp')).toBeUndefined();
  });

  it('by its certificate alone, where one is configured', () => {
    expect(at('198.51.100.9', 40_000, 'tls', 'a'.repeat(64))).toBe('c6');
    expect(at('192.0.2.60', 5061, 'tls')).toBeUndefined();
    expect(at('192.0.2.60', 5061, 'tls', 'b'.repeat(64))).toBeUndefined();
  });
});

describe('a request that opens a call', () => {
  const facts: OriginateFacts = {
    kind: 'originate',
    method: 'INVITE',
    from: { user: 'alice', host: '192.0.2.1:5060' },
    asserted: [],
    called: { user: '42', host: 'example.com', isHere: false },
    credentials: null,
    source: { transport: 'udp', address: '192.0.2.99', port: 5060 },
    certificateSha256: null,
    isRehearsal: false,
  };
  const challenge = {
    kind: 'challenge',
    realm: 'example.com',
    nonce: 'n',
    algorithm: 'MD5',
    stale: false,
  } as const;
  const asked: string[] = [];
  const authenticate =
    (row = alice): Authenticate =>
    async (credentials, domain, user) => {
      asked.push(`${user}@${domain.name}`);
      return credentials ? { kind: 'accepted', row } : challenge;
    };
  const credentials = {
    username: 'alice',
    realm: 'example.com',
    response: '',
    algorithm: 'MD5',
    method: 'INVITE',
    uri: '',
    nonce: '',
    qop: null,
  } as const;
  const decide = (change: Partial<OriginateFacts>, row = alice) =>
    originate({ ...facts, ...change }, configuration, authenticate(row));

  it('is challenged in its own domain', async () => {
    expect(await decide({})).toEqual(challenge);
    expect(asked.at(-1)).toBe('alice@example.com');
  });

  it('is admitted with its own From, and leads on', async () => {
    expect(await decide({ credentials })).toMatchObject({
      kind: 'admitted',
      owner: 'c1',
      caller: { kind: 'subscriber', aor: 'alice@example.com', displayName: 'Alice' },
      destination: { callee: { address: '42@example.com' } },
    });
    expect((await decide({ credentials, from: { user: '0301000', host: 'example.com' } })).kind).toBe(
      'admitted',
    );
    expect((await decide({ credentials, from: { user: 'anonymous', host: 'anonymous.invalid' } })).kind).toBe(
      'admitted',
    );
  });

  it.each([
    ['another From', { from: { user: 'bob', host: 'example.com' } }],
    ['a From of nobody', { from: { user: 'nobody', host: 'example.com' } }],
    ["another's number as From", { from: { user: '+49302000', host: 'example.com' } }],
    ["another's asserted identity", { asserted: [{ user: 'bob', host: 'example.com', isHere: false }] }],
    [
      "another's number as asserted identity",
      { asserted: [{ user: '+49302000', host: null, isHere: false }] },
    ],
    [
      'anonymous, but with another asserted identity',
      {
        from: { user: 'anonymous', host: 'anonymous.invalid' },
        asserted: [{ user: 'bob', host: 'example.com', isHere: false }],
      },
    ],
  ] satisfies [string, Partial<OriginateFacts>][])('is refused with %s', async (_, change) => {
    expect(await decide({ credentials, ...change })).toMatchObject({ kind: 'refused', status: 403 });
  });

  it('of another domain is nobody here', async () => {
    expect((await decide({ from: { user: 'alice', host: 'elsewhere.org' } })).kind).toBe('not-mine');
  });

  it('comes from a third party where no credentials of ours do, whatever its From', async () => {
    const source = { transport: 'udp', address: '192.0.2.50', port: 5060 } as const;
    expect(await decide({ source, from: { user: '+4411', host: 'c5.example' } })).toMatchObject({
      kind: 'admitted',
      caller: { kind: 'third-party', name: 'c5' },
    });
    expect(await decide({ source, credentials })).toMatchObject({ caller: { kind: 'subscriber' } });
    const others = { ...credentials, realm: 'c5.example' };
    expect(await decide({ source, credentials: others })).toMatchObject({ caller: { kind: 'third-party' } });
  });

  it('or a handshake comes from a third party by its address, transport and port', () => {
    const ask = (transport: 'udp' | 'tcp', address: string) =>
      neighbour(
        { source: { transport, address, port: 5060 }, certificateSha256: null },
        configuration.thirdParties,
      );
    expect(ask('udp', '192.0.2.50')).toEqual({ kind: 'neighbour', name: 'c5' });
    for (const other of [ask('tcp', '192.0.2.50'), ask('udp', '192.0.2.51')])
      expect(other).toEqual({ kind: 'not-mine', challenge: null });
  });

  it('may be rehearsed by an operator without proof', async () => {
    expect(await decide({ isRehearsal: true })).toMatchObject({
      kind: 'admitted',
      caller: { kind: 'subscriber' },
      steps: [
        'alice@example.com is a subscriber of c1',
        expect.stringContaining('42@example.com'),
        expect.any(String),
      ],
    });
    expect((await decide({ isRehearsal: true, from: { user: 'nobody', host: 'example.com' } })).kind).toBe(
      'not-mine',
    );
  });
});

describe('a callee is found', () => {
  const find = (address: string | null, number: string | null) =>
    locate({ kind: 'locate', callee: { address, number } }, configuration);

  it.each([
    ['by name', 'bob@example.com', null, 'bob@example.com'],
    ['by name before short number', '1001@example.com', '+49301000', '1001@example.com'],
    ['by short number before E.164', '42@example.com', '+49301000', 'bob@example.com'],
    ['by E.164', '0301000@example.com', '+49301000', 'alice@example.com'],
  ])('%s', async (_, address, number, aor) => {
    expect(await find(address, number)).toMatchObject({ kind: 'found', aor, owner: 'c1' });
  });

  it('or is nobody here', async () => {
    expect((await find('nobody@example.com', '+4930999')).kind).toBe('not-mine');
  });

  it("with forwarding by the forwarder's own class of service and area", async () => {
    const found = await find('bob@example.com', null);
    expect(found).toMatchObject({
      forwarding: {
        always: null,
        noAnswerSeconds: 7,
        busy: { callee: { number: '+49301111' }, route: null, refusal: { status: 403 } },
      },
    });
    expect(found.kind === 'found' && found.steps).toEqual([
      'bob@example.com is bob@example.com, a subscriber of c1',
      'a call while busy is forwarded to 0301111',
    ]);
  });
});
