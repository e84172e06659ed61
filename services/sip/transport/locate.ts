import type { SipUri } from '../message/uri.ts';
import { bare } from './received.ts';
import { orderByWeight } from './srv-order.ts';

/** Transports this element speaks, in the order it prefers them where the other side does not care. */
export type Transport = 'UDP' | 'TCP' | 'TLS';

/** Where to send a request. */
export type Target = { readonly transport: Transport; readonly address: string; readonly port: number };

/** A question for DNS; the name is what the records are wanted of. */
export type Lookup = { readonly type: DnsRecord['type']; readonly name: string };

export type NaptrRecord = {
  readonly type: 'NAPTR';
  readonly order: number;
  readonly preference: number;
  readonly service: string;
  readonly replacement: string;
};

export type SrvRecord = {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly name: string;
};

export type AddressRecord = { readonly type: 'A' | 'AAAA'; readonly address: string };

export type DnsRecord = NaptrRecord | SrvRecord | AddressRecord;

type Lookups<Result> = Generator<Lookup, Result, readonly DnsRecord[]>;

export type LocateOptions = {
  /** What this element speaks, most wanted first. */
  readonly transports: readonly Transport[];
  /** Number in [0, 1) for choosing among SRV records of one priority. */
  readonly random: () => number;
  readonly targetsMax: number;
};

/**
 * The targets a request to `uri` may be sent to, best first (RFC 3263 section 4). It asks for DNS records by yielding
 * lookups and is given the records found, none where there are none; so it neither waits nor depends on a resolver.
 */
export function* locateServers(uri: SipUri, options: LocateOptions): Lookups<Target[]> {
  const host = bare(uri.params.get('maddr') ?? uri.host);
  const hops = yield* selectHops(uri, host, options);
  const targets: Target[] = [];
  for (const { transport, name, port } of hops) {
    const addresses = isNumeric(name) ? [name] : yield* resolveAddresses(name);
    for (const address of addresses) targets.push({ transport, address, port });
    if (targets.length >= options.targetsMax) break;
  }
  return targets.slice(0, options.targetsMax);
}

type Hop = { readonly transport: Transport; readonly name: string; readonly port: number };

/** Sections 4.1 and 4.2: transport, then names and ports. */
function* selectHops(uri: SipUri, host: string, options: LocateOptions): Lookups<Hop[]> {
  const named = namedTransport(uri);
  if (named === 'unknown' || (named && !options.transports.includes(named))) return [];
  const fallback = named ?? (uri.scheme === 'sips' ? 'TLS' : 'UDP');
  if (isNumeric(host) || uri.port !== undefined) {
    return [{ transport: fallback, name: host, port: uri.port ?? defaultPort(fallback) }];
  }
  const services = named
    ? [{ transport: named, name: srvName(named, host) }]
    : yield* selectServices(uri, host, options);
  const hops: Hop[] = [];
  for (const { transport, name } of services) {
    const records = (yield { type: 'SRV', name }).filter((record) => record.type === 'SRV');
    for (const { name, port } of orderByWeight(records, options.random)) hops.push({ transport, name, port });
  }
  return hops.length > 0 ? hops : [{ transport: fallback, name: host, port: defaultPort(fallback) }];
}

type Service = { readonly transport: Transport; readonly name: string };

/** Section 4.1: NAPTR says which transports a domain wants; without it SRV is asked for each. */
function* selectServices(uri: SipUri, host: string, { transports }: LocateOptions): Lookups<Service[]> {
  const allowed = transports.filter((transport) => uri.scheme === 'sip' || transport === 'TLS');
  const found = (yield { type: 'NAPTR', name: host }).filter((record) => record.type === 'NAPTR');
  const services = found
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
    .map(({ service, replacement }) => ({ transport: naptrTransport(service), name: replacement }))
    .filter(
      (service): service is Service => service.transport !== undefined && allowed.includes(service.transport),
    );
  return services.length > 0
    ? services
    : allowed.map((transport) => ({ transport, name: srvName(transport, host) }));
}

function* resolveAddresses(name: string): Lookups<string[]> {
  const addresses: string[] = [];
  for (const type of ['AAAA', 'A'] as const) {
    for (const record of yield { type, name }) if (record.type === type) addresses.push(record.address);
  }
  return addresses;
}

/** The transport a URI asks for; `sips` means TLS whatever it says, `transport=tls` is what phones still write. */
function namedTransport(uri: SipUri): Transport | 'unknown' | undefined {
  const name = uri.params.get('transport')?.toUpperCase();
  if (name === undefined) return undefined;
  if (uri.scheme === 'sips' || name === 'TLS') return 'TLS';
  return name === 'TCP' || name === 'UDP' ? name : 'unknown';
}

function naptrTransport(service: string): Transport | undefined {
  switch (service.toUpperCase()) {
    case 'SIP+D2U':
      return 'UDP';
    case 'SIP+D2T':
      return 'TCP';
    case 'SIPS+D2T':
      return 'TLS';
    default:
      return undefined;
  }
}

function srvName(transport: Transport, host: string): string {
  return transport === 'TLS' ? `_sips._tcp.${host}` : `_sip._${transport.toLowerCase()}.${host}`;
}

function defaultPort(transport: Transport): number {
  return transport === 'TLS' ? 5061 : 5060;
}

function isNumeric(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}
