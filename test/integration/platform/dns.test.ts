import { describe, expect, it } from 'vitest';
import { createServers } from '../../../services/front/proxy/servers.ts';
import { DnsResolver } from '../../../services/platform/dns/resolver.ts';
import { DnsServer } from '../../support/dns-server.ts';
import type { ZoneRecord } from '../../support/dns-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const a = (address: string, ttl = 300): ZoneRecord => ({ type: 'A', address, ttl });
const srv = (target: string, port: number, priority: number, weight = 0): ZoneRecord => ({
  type: 'SRV',
  priority,
  weight,
  port,
  target,
});
const naptr = (service: string, replacement: string, order: number): ZoneRecord => ({
  type: 'NAPTR',
  order,
  preference: 10,
  service,
  replacement,
});

/** A carrier that wants TCP before UDP, and has a spare host for each. */
const carrier = {
  'carrier.example': [
    naptr('SIP+D2U', '_sip._udp.carrier.example', 20),
    naptr('SIP+D2T', '_sip._tcp.carrier.example', 10),
    naptr('SIPS+D2S', '_sips._sctp.carrier.example', 5),
    a('192.0.2.99'),
  ],
  '_sip._tcp.carrier.example': [
    srv('spare.carrier.example', 5070, 20),
    srv('first.carrier.example', 5060, 10),
  ],
  '_sip._udp.carrier.example': [srv('first.carrier.example', 5060, 10)],
  'first.carrier.example': [{ type: 'AAAA', address: '2001:db8::1' }, a('192.0.2.1')],
  'spare.carrier.example': [a('192.0.2.2')],
} satisfies Record<string, ZoneRecord[]>;

/** A resolver of the server, a clock that moves it, and its failures. */
function resolverOf(dns: DnsServer) {
  const clock = new FakeClock();
  const failures: string[] = [];
  const resolver = new DnsResolver({
    servers: [dns.address],
    onFailure: (name) => failures.push(name),
    clock,
  });
  return { clock, failures, resolver, servers: createServers(resolver, ['UDP', 'TCP', 'TLS']) };
}

describe('a URI by DNS (RFC 3263)', () => {
  it('leads by NAPTR, then SRV, then addresses, each in the order the domain wants', async () => {
    await using dns = await DnsServer.open(carrier);
    const { servers, failures } = resolverOf(dns);
    expect(await servers.at('sip:carrier.example')).toEqual([
      { transport: 'TCP', address: '2001:db8::1', port: 5060 },
      { transport: 'TCP', address: '192.0.2.1', port: 5060 },
      { transport: 'TCP', address: '192.0.2.2', port: 5070 },
      { transport: 'UDP', address: '2001:db8::1', port: 5060 },
    ]);
    expect(dns.questions.slice(0, 3)).toEqual([
      'NAPTR carrier.example',
      'SRV _sip._tcp.carrier.example',
      'SRV _sip._udp.carrier.example',
    ]);
    expect(failures).toEqual(['spare.carrier.example']);
  });

  it.each([
    ['sip:carrier.example;transport=udp', 'SRV _sip._udp.carrier.example'],
    ['sip:carrier.example:5080', 'AAAA carrier.example'],
    ['sip:192.0.2.7', undefined],
  ])('%s asks first for %s', async (uri, question) => {
    await using dns = await DnsServer.open(carrier);
    const found = await resolverOf(dns).servers.at(uri);
    expect(found.length).toBeGreaterThan(0);
    expect(dns.questions[0]).toBe(question);
  });

  it('without NAPTR and SRV leads to its addresses, and without any nowhere', async () => {
    await using dns = await DnsServer.open({ 'plain.example': [a('192.0.2.3')] });
    const { servers } = resolverOf(dns);
    const plain = { transport: 'UDP', address: '192.0.2.3', port: 5060 };
    expect(await servers.at('sip:plain.example')).toEqual([plain]);
    expect(await servers.at('sip:nobody.example')).toEqual([]);
  });
});

describe('what DNS answered', () => {
  it.each([
    [300, 30_000],
    [7, 7_000],
    [0, 0],
  ])('with a TTL of %i s is kept for %i ms', async (ttl, keptMs) => {
    await using dns = await DnsServer.open({ 'host.example': [a('192.0.2.4', ttl)] });
    const { resolver, clock } = resolverOf(dns);
    const ask = async () => (await resolver.resolve('A', 'host.example'))[0]?.['address'];
    await ask();
    dns.zone.set('host.example', [a('192.0.2.5')]);
    if (keptMs > 0) {
      await clock.advance(keptMs - 1);
      expect(await ask()).toBe('192.0.2.4');
      await clock.advance(1);
    }
    expect(await ask()).toBe('192.0.2.5');
    expect(dns.questions).toHaveLength(2);
  });

  it('is asked for once by many at a time', async () => {
    await using dns = await DnsServer.open(carrier);
    const { servers } = resolverOf(dns);
    const found = await Promise.all(
      Array.from({ length: 20 }, () => servers.at('sip:spare.carrier.example:1')),
    );
    expect(found.flat()).toHaveLength(20);
    expect(dns.questions.toSorted()).toEqual(['A spare.carrier.example', 'AAAA spare.carrier.example']);
  });

  it.each(['silence', 'rubbish', 'cut off'] as const)(
    'being %s is no answer, told once, and asked for again after 5 s',
    async (how) => {
      await using dns = await DnsServer.open({ 'host.example': [a('192.0.2.4')] });
      dns.misbehaviours.set('host.example', how);
      const { resolver, clock, failures } = resolverOf(dns);
      const ask = () => resolver.resolve('A', 'host.example');
      expect(await ask()).toEqual([]);
      dns.misbehaviours.clear();
      await clock.advance(4_999);
      expect(await ask()).toEqual([]);
      expect(failures).toEqual(['host.example']);
      await clock.advance(1);
      expect(await ask()).toMatchObject([{ address: '192.0.2.4' }]);
    },
  );
});
