import { describe, expect, it } from 'vitest';
import { Authenticator } from '../../../services/processor/credentials/authenticator.ts';
import { identify } from '../../../services/processor/credentials/identify.ts';
import type { Subscriber } from '../../../services/processor/configuration/subscriber.ts';
import { Domains } from '../../../services/processor/configuration/domains.ts';
import { decideRegister } from '../../../services/processor/register/decide.ts';
import { AccessDevices } from '../../../services/processor/register/device.ts';
import type { Device } from '../../../services/processor/register/device.ts';
import { registerLimits } from '../../../services/processor/register/limits.ts';
import { silenceGraceMs, stateOf } from '../../../services/processor/state.ts';
import { digestHa1 } from '../../../services/sip/auth/digest.ts';
import type { CredentialFacts } from '../../../services/protocol/dispatch/common.ts';
import type { RegisterFacts } from '../../../services/protocol/dispatch/register.ts';
import { subscriberRow } from '../../support/call-configuration.ts';
import { credentials, password } from '../../support/digest.ts';
import type { Answering } from '../../support/digest.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const realm = 'c1.example';
const domain = { name: 'c1.example', realm, aliases: ['192.0.2.1', 'sip.c1.example:5070'] };
const ada: Subscriber = {
  row: subscriberRow('ada@c1.example'),
  ha1: { md5: digestHa1('MD5', 'ada', realm, password), sha256: null },
  devices: [],
};
const withSha256 = digestHa1('SHA-256', 'ada', realm, password);
const minuteMs = 60_000;

function site(key = 'site') {
  const clock = new FakeClock();
  const authenticator = new Authenticator({ nonceKeys: [Buffer.from(key.repeat(8))], clock });
  const ask = (facts: CredentialFacts | null, subscriber = ada) =>
    identify('ada', domain, subscriber, facts, authenticator);
  const askForNobody = (facts: CredentialFacts | null) =>
    identify('nobody', domain, undefined, facts, authenticator);
  const nonce = (): string => {
    const challenge = ask(null);
    return challenge.kind === 'challenge' ? challenge.nonce : '';
  };
  const answer = (facts: Partial<Answering> = {}): CredentialFacts =>
    credentials({ username: 'ada', realm, nonce: nonce(), ...facts });
  return { clock, ask, askForNobody, nonce, answer };
}

describe('who says he is a subscriber', () => {
  it('is asked for credentials first', () => {
    const { ask } = site();
    expect(ask(null)).toMatchObject({ kind: 'challenge', realm, algorithm: 'MD5', stale: false });
  });

  it.each([
    ['his name', { username: 'ada' }],
    ['his address', { username: 'ada@c1.example', hashedAs: 'ada' }],
    ['no quality of protection (RFC 2069)', { count: null }],
  ])('is believed with his password and %s', (_, facts) => {
    const { ask, answer } = site();
    expect(ask(answer(facts))).toEqual({ kind: 'accepted', subscriber: ada });
  });

  it.each([
    ['a wrong password', { password: 'guess' }],
    ['another subscriber’s name', { username: 'bob' }],
    ['his name in another domain', { username: 'ada@c2.example', hashedAs: 'ada' }],
    ['another realm', { realm: 'c2.example' }],
    ['an algorithm that was not offered', { algorithm: 'SHA-256' as const }],
    ['a wrong password and a nonce of nobody', { password: 'guess', nonce: 'mine' }],
  ])('is asked again, as if he had said nothing, with %s', (_, facts) => {
    const { ask, answer } = site();
    expect(ask(answer(facts))).toMatchObject({ kind: 'challenge', algorithm: 'MD5', stale: false });
  });

  it('is told that the nonce is stale, not that the password is wrong, where only the nonce is', () => {
    const { clock, ask, nonce, answer } = site();
    const stale = { kind: 'challenge', stale: true };
    expect(ask(answer({ nonce: 'made up' }))).toMatchObject(stale);
    expect(ask(answer({ nonce: site('other').nonce() }))).toMatchObject(stale);
    const old = nonce();
    clock.jumpWall(6 * minuteMs);
    expect(ask(answer({ nonce: old }))).toMatchObject(stale);
  });

  it('can use each count of a nonce once', () => {
    const { ask, nonce, answer } = site();
    const used = nonce();
    expect(ask(answer({ nonce: used, count: 1 })).kind).toBe('accepted');
    expect(ask(answer({ nonce: used, count: 1 }))).toMatchObject({ kind: 'challenge', stale: true });
    expect(ask(answer({ nonce: used, count: 3 })).kind).toBe('accepted');
    expect(ask(answer({ nonce: used, count: 2 })).kind).toBe('accepted');
  });

  it('is asked for SHA-256 only where that is all there is', () => {
    const { ask, answer } = site();
    const only = { ...ada, ha1: { md5: null, sha256: withSha256 } };
    expect(ask(null, only)).toMatchObject({ algorithm: 'SHA-256' });
    expect(ask(answer({ algorithm: 'SHA-256' }), only).kind).toBe('accepted');
    expect(ask(answer(), only)).toMatchObject({ kind: 'challenge', algorithm: 'SHA-256' });
    const both = { ...ada, ha1: { md5: digestHa1('MD5', 'ada', realm, password), sha256: withSha256 } };
    expect(ask(null, both)).toMatchObject({ algorithm: 'MD5' });
  });

  it('gets no other answer where nobody has that name than with a wrong password', () => {
    const { ask, askForNobody, answer } = site();
    const wrong = ask(answer({ password: 'guess' }));
    expect(askForNobody(answer({ username: 'nobody' }))).toEqual({
      kind: 'not-mine',
      challenge: { ...wrong, nonce: expect.any(String) },
    });
    expect(askForNobody(null)).toMatchObject({ kind: 'not-mine', challenge: { stale: false } });
  });

  it('is never believed without a secret, and sent to his other site where it cannot be read', () => {
    const { ask, answer } = site();
    expect(ask(answer(), { ...ada, ha1: { md5: null, sha256: null } }).kind).toBe('challenge');
    expect(ask(answer(), { ...ada, ha1: 'unreadable' })).toMatchObject({ kind: 'refused', status: 503 });
  });
});

describe('a subscriber who registers', () => {
  const none = new AccessDevices([]);
  const facts: RegisterFacts = {
    kind: 'register' as const,
    party: { user: 'ada', host: '192.0.2.1' },
    credentials: null,
    source: { transport: 'udp' as const, address: '192.0.2.9', port: 5060 },
    instance: null,
    contactHost: '192.0.2.9:5062',
  };

  it('is granted his own address of record, as his device', () => {
    const subscriber = { ...ada, devices: [{ name: 'gw1', instance: null, address: '192.0.2.9' }] };
    const limits = registerLimits(new Map(), 'home');
    expect(decideRegister(facts, { kind: 'accepted', subscriber }, 'c1', limits, none)).toEqual({
      kind: 'granted',
      aor: 'ada@c1.example',
      owner: 'c1',
      device: 'gw1',
      expiresSeconds: { min: 60, default: 3_600, max: 7_200 },
      contactsMax: 10,
    });
  });

  it('is answered what stands in his way', () => {
    const identity = { kind: 'not-mine', challenge: null } as const;
    expect(decideRegister(facts, identity, 'c1', registerLimits(new Map(), 'home'), none)).toBe(identity);
  });

  it('registers by a device that many share, unless one of his own fits', () => {
    const shared = new AccessDevices([
      { name: 'iad1', instance: null, address: '192.0.2.9' },
      { name: 'iad2', instance: null, address: '192.0.2.9' },
      { name: 'gw', instance: 'urn:uuid:AB', address: null },
    ]);
    const limits = registerLimits(new Map(), 'home');
    const deviceOf = (devices: readonly Device[], seen: Partial<typeof facts> = {}) =>
      decideRegister(
        { ...facts, ...seen },
        { kind: 'accepted', subscriber: { ...ada, devices } },
        'c1',
        limits,
        shared,
      );
    expect(deviceOf([])).toMatchObject({ device: 'iad1' });
    expect(deviceOf([], { instance: '<urn:uuid:ab>', contactHost: null })).toMatchObject({ device: 'gw' });
    expect(deviceOf([], { contactHost: '192.0.2.8' })).toMatchObject({ device: null });
    const own = { name: 'desk', instance: null, address: '192.0.2.9:5062' };
    expect(deviceOf([own])).toMatchObject({ device: 'desk' });
  });
});

describe('a domain', () => {
  const domains = new Domains([domain, { name: '192.0.2.2', realm: 'x', aliases: ['c1.example'] }]);

  it.each([
    ['c1.example', 'c1.example'],
    ['c1.example:5060', 'c1.example'],
    ['192.0.2.1', 'c1.example'],
    ['192.0.2.1:5099', 'c1.example'],
    ['sip.c1.example:5070', 'c1.example'],
    ['192.0.2.2', '192.0.2.2'],
    ['sip.c1.example', undefined],
    ['sip.c1.example:5060', undefined],
    ['[2001:db8::1]:5060', undefined],
  ])('written %s is %s', (host, name) => {
    expect(domains.find(host)?.name).toBe(name);
  });
});

describe('an access device', () => {
  const devices = [
    { name: 'phone', instance: 'urn:uuid:00000000-0000-1000-8000-000A95A0E128', address: '192.0.2.7' },
    { name: 'gateway', instance: null, address: '192.0.2.7' },
    { name: 'second port', instance: null, address: '192.0.2.8:5070' },
  ];

  it.each([
    ['urn:uuid:00000000-0000-1000-8000-000a95a0e128', '192.0.2.99:5060', 'phone'],
    ['<urn:uuid:00000000-0000-1000-8000-000a95a0e128>', null, 'phone'],
    ['urn:uuid:11111111-0000-1000-8000-000a95a0e128', '192.0.2.7:5060', 'gateway'],
    [null, '192.0.2.7:1024', 'gateway'],
    [null, '192.0.2.8:5070', 'second port'],
    [null, '192.0.2.8:5071', null],
    [null, null, null],
  ])('with instance %s at %s is %s', (instance, contactHost, name) => {
    expect(new AccessDevices(devices).recognise(instance, contactHost)).toBe(name);
  });
});

describe('how long a registration may last', () => {
  const limits = (role: 'home' | 'standby', environment: Record<string, string> = {}) =>
    registerLimits(new Map(Object.entries(environment)), role);

  it.each([
    ['home', {}, { min: 60, default: 3_600, max: 7_200 }],
    ['standby', {}, { min: 60, default: 120, max: 120 }],
    ['home', { 'register.expires.max': '600' }, { min: 60, default: 600, max: 600 }],
    ['home', { 'register.expires.min': '9000' }, { min: 7_200, default: 7_200, max: 7_200 }],
    ['home', { 'register.expires.default': '1800' }, { min: 60, default: 1_800, max: 7_200 }],
    ['home', { 'register.backup_expires': '30' }, { min: 60, default: 3_600, max: 7_200 }],
    ['standby', { 'register.backup_expires': '30' }, { min: 30, default: 30, max: 30 }],
    ['home', { 'register.expires.max': '-1' }, { min: 60, default: 3_600, max: 7_200 }],
    ['home', { 'register.expires.max': '604801' }, { min: 60, default: 3_600, max: 7_200 }],
  ] as const)('at %s with %j is %j', (role, environment, expected) => {
    expect(limits(role, environment).expiresSeconds).toEqual(expected);
  });

  it('goes with how many contacts there may be', () => {
    expect(limits('home', { 'register.contacts_max': '3' }).contactsMax).toBe(3);
    expect(limits('home', { 'register.contacts_max': '0' }).contactsMax).toBe(10);
  });
});

describe('a processor', () => {
  const position = { incarnation: 'i', seq: 7 };
  const serving = { role: 'home' as const, position, proven: false, silentMs: 0 };
  const late = silenceGraceMs + 1;

  it.each([
    ['home, all well', serving, null],
    ['home, database restarting', { ...serving, silentMs: silenceGraceMs }, null],
    ['home, database gone', { ...serving, silentMs: late }, 'PROCESSOR_DATABASE_SILENT'],
    ['home, starting', { ...serving, position: undefined }, 'PROCESSOR_STARTING'],
    ['never connected', { ...serving, position: undefined, silentMs: late }, 'PROCESSOR_DATABASE_SILENT'],
    ['standby, never proven', { ...serving, role: 'standby' as const }, 'PROCESSOR_STANDBY_UNPROVEN'],
    ['standby, proven', { ...serving, role: 'standby' as const, proven: true }, null],
    [
      'standby, unproven and silent',
      { ...serving, role: 'standby' as const, silentMs: late },
      'PROCESSOR_STANDBY_UNPROVEN',
    ],
  ])('%s', (_, standing, reason) => {
    expect(stateOf(standing)).toMatchObject({ kind: 'state', serving: reason === null, reason });
  });
});
