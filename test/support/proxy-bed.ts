import { setTimeout as sleep } from 'node:timers/promises';
import { CallRehearsal } from '../../services/front/proxy/call-rehearsal.ts';
import { OwnAddresses } from '../../services/front/proxy/own-addresses.ts';
import type { CallDispatch, Pair } from '../../services/front/proxy/ports.ts';
import { Prober } from '../../services/front/proxy/prober.ts';
import { Proxy } from '../../services/front/proxy/proxy.ts';
import { createServers } from '../../services/front/proxy/servers.ts';
import { Ways } from '../../services/front/proxy/ways.ts';
import type { Binding } from '../../services/front/calls/target.ts';
import { Engine } from '../../services/front/engine/engine.ts';
import { Transports } from '../../services/front/transport/transports.ts';
import { DnsResolver } from '../../services/platform/dns/resolver.ts';
import { systemClock } from '../../services/platform/lifecycle/clock.ts';
import { CertificateStore } from '../../services/platform/tls/certificate-store.ts';
import type { CallConfiguration } from '../../services/processor/calls/configuration.ts';
import { locate } from '../../services/processor/calls/locate.ts';
import { originate } from '../../services/processor/calls/originate.ts';
import type { Authenticate } from '../../services/processor/calls/originate.ts';
import type { CallRecord } from '../../services/protocol/call-record.ts';
import type { OriginateFacts } from '../../services/protocol/dispatch/call.ts';
import { digestHa1, digestResponse } from '../../services/sip/auth/digest.ts';
import { encodeFlowToken } from '../../services/sip/transport/flow-token.ts';
import type { Flow } from '../../services/sip/transport/flow-token.ts';
import type { Address } from '../../services/protocol/program-config.ts';
import type { CallExplanation } from '../../services/protocol/rest/dispatch.ts';
import { certificateFiles } from './engine-bed.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import type { SoftPhone } from './soft-phone.ts';
import { freePort } from './free-port.ts';

/** What a bed's front believes and can be made to believe. */
export type ProxyBedState = {
  isLinkUp: boolean;
  isServing: boolean;
  /** Owners whose processor is down. */
  readonly down: Set<string>;
};

/** Since when a bed's link is down, where it is. */
export const linkLostAt = new Date('2026-01-01T00:00:00Z');

type Files = Awaited<ReturnType<typeof certificateFiles>>;

/**
 * The proxy of one site on real sockets, in this process: what processors decide is the real decision, on the
 * configurations given (home first); where devices are registered is what the test says.
 */
export class ProxyBed implements AsyncDisposable {
  readonly site: string;
  readonly state: ProxyBedState = { isLinkUp: true, isServing: true, down: new Set() };
  readonly records: CallRecord[] = [];
  readonly #stack = new AsyncDisposableStack();
  readonly #bindings: Binding[] = [];
  #parts:
    | {
        engine: Engine;
        transports: Transports;
        proxy: Proxy;
        ways: Ways;
        key: Buffer;
        rehearsal: CallRehearsal;
      }
    | undefined;

  private constructor(site: string) {
    this.site = site;
  }

  static async open(
    site: string,
    configurations: readonly CallConfiguration[],
    options: {
      readonly key: Buffer;
      readonly files: Files;
      readonly ports: Readonly<Record<'udp' | 'tcp' | 'tls', number>>;
      readonly peers?: readonly { name: string; sip: Address; key: Buffer; files: Files }[];
      /** `host:port` of the DNS server; the system's where left out. */
      readonly dns?: string | undefined;
    },
  ): Promise<ProxyBed> {
    const bed = new ProxyBed(site);
    const { key, files, ports, peers = [], dns } = options;
    const certificates = bed.#stack.use(
      await CertificateStore.open({
        ...files,
        authorityFiles: peers.map((peer) => peer.files.authorityFile),
        onProblem: () => undefined,
      }),
    );
    const listeners = (['udp', 'tcp', 'tls'] as const).map((transport) => {
      const listen = { host: '127.0.0.1', port: ports[transport] };
      return { transport, listen, advertised: listen };
    });
    const engine: Engine = bed.#stack.use(
      new Engine(systemClock, {
        onRequest: (request, ...rest) => {
          if (request.method !== 'OPTIONS') return proxy.onRequest(request, ...rest);
          return engine.answer(request, rest[0], bed.state.isServing ? 200 : 503);
        },
        onAck: (...ack) => proxy.onAck(...ack),
        onClosed: (flow) => proxy.onClosed(flow),
      }),
    );
    const transports = bed.#stack.use(
      await Transports.open({
        listeners,
        certificates,
        peers: () =>
          peers.flatMap(({ name }, i) => {
            const authority = certificates.current.authorities[i];
            return authority ? [{ name, authority }] : [];
          }),
        events: engine.events,
        clock: systemClock,
      }),
    );
    engine.attach(transports);
    const pair: Pair = {
      site,
      keys: [key, ...peers.map((peer) => peer.key)],
      peers,
      isLinkUp: () => bed.state.isLinkUp,
    };
    const own = new OwnAddresses(listeners, pair.keys);
    const prober = bed.#stack.use(new Prober({ engine, own, clock: systemClock, onChange: () => undefined }));
    const resolver = new DnsResolver({ servers: dns ? [dns] : undefined, onFailure: () => undefined });
    const servers = createServers(resolver, ['UDP', 'TCP', 'TLS']);
    const ways = new Ways({ pair, transports, servers, prober });
    // Made anew for each question, as the distribution does.
    const of = (aor: string) =>
      bed.#bindings.filter((binding) => binding.aor === aor).map((each) => ({ ...each }));
    const bindings = { of };
    const dispatch = dispatchTo(configurations, bed.state.down);
    const unknownSince = () => (bed.state.isLinkUp ? null : linkLostAt);
    const rehearsal = new CallRehearsal({ own, ways, bindings, dispatch, unknownSince });
    const proxy: Proxy = bed.#stack.use(
      new Proxy({
        engine,
        transports,
        own,
        pair,
        ways,
        bindings,
        dispatch,
        clock: systemClock,
        prove: () => undefined,
        records: { write: (record) => bed.records.push(record) },
      }),
    );
    bed.#parts = { engine, transports, proxy, ways, key, rehearsal };
    return bed;
  }

  /** Where phones send to. */
  get server(): Address {
    return { host: '127.0.0.1', port: this.#open.transports.port(0) };
  }

  /** Waits until the peer's front has answered. */
  async waitForPeer(name: string): Promise<void> {
    while (!this.#open.ways.surroundings.isPeerAlive(name)) await sleep(20);
  }

  /** What would become of a call from here. */
  explain(from: string, called: string): Promise<CallExplanation> {
    return this.#open.rehearsal.explain(from, called);
  }

  get running(): number {
    return this.#open.proxy.running;
  }

  get transactions(): number {
    return this.#open.engine.transactions;
  }

  /** The phone is registered at this site, over UDP; the binding, for the distribution of the peer. */
  bind(phone: SoftPhone, flow: Flow = phone.datagramFlow): Binding {
    const { key } = this.#open;
    const { host, port } = this.server;
    const binding = {
      aor: phone.aor,
      device: phone.instance,
      site: this.site,
      contact: phone.contact,
      path: [],
      edge: `sip:${encodeFlowToken([key], flow)}@${host}:${port};lr`,
    };
    phone.server = this.server;
    this.learn(binding);
    return binding;
  }

  /** The distribution here has this binding now; the latest comes first. */
  learn(binding: Binding): void {
    this.#bindings.unshift(binding);
    this.#open.proxy.onRegistered(binding);
  }

  forgetAll(aor: string): void {
    for (const binding of this.#bindings.filter((each) => each.aor === aor)) this.forget(binding);
  }

  /** The URI of the flow by which the phone is registered here. */
  edgeOf({ aor }: SoftPhone): string {
    return this.#bindings.find((binding) => binding.aor === aor)?.edge ?? '';
  }

  forget(binding: Binding): void {
    const at = this.#bindings.indexOf(binding);
    if (at >= 0) this.#bindings.splice(at, 1);
  }

  get #open() {
    if (!this.#parts) throw new Error('not open');
    return this.#parts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export type SiteName = 'c1' | 'c2' | 'c3';

export type ProxyBeds = Readonly<Record<SiteName, ProxyBed>> & { readonly stack: AsyncDisposableStack };

/**
 * Two sites that are a pair, and a third party that is the same software without a peer. `configure` gets the address of
 * each site's UDP listener, and says on which configurations each one's processors decide, home first.
 */
export async function openSites(
  configure: (
    addresses: Readonly<Record<SiteName, Address>>,
  ) => Readonly<Record<SiteName, readonly CallConfiguration[]>>,
  dns?: string,
): Promise<ProxyBeds> {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await TemporaryDirectory.create());
  const ports = await Promise.all(Array.from({ length: 9 }, () => freePort()));
  const at = (name: SiteName, number: number) => {
    const [udp = 0, tcp = 0, tls = 0] = ports.slice(3 * number);
    return { name, key: Buffer.alloc(32, number + 1), ports: { udp, tcp, tls } };
  };
  const parts = { c1: at('c1', 0), c2: at('c2', 1), c3: at('c3', 2) };
  const address = ({ ports: { udp } }: { ports: { udp: number } }): Address => ({
    host: '127.0.0.1',
    port: udp,
  });
  const { c1: a1, c2: a2, c3: a3 } = parts;
  const configurations = configure({ c1: address(a1), c2: address(a2), c3: address(a3) });
  const files = {
    c1: await certificateFiles(directory, 'c1'),
    c2: await certificateFiles(directory, 'c2'),
    c3: await certificateFiles(directory, 'c3'),
  };
  const peer = (name: 'c1' | 'c2') => {
    const { key, ports: own } = parts[name];
    return { name, key, files: files[name], sip: { host: '127.0.0.1', port: own.tls } };
  };
  const open = async (name: SiteName, peers: ReturnType<typeof peer>[]) =>
    stack.use(
      await ProxyBed.open(name, configurations[name], { ...parts[name], files: files[name], peers, dns }),
    );
  const beds = {
    c1: await open('c1', [peer('c2')]),
    c2: await open('c2', [peer('c1')]),
    c3: await open('c3', []),
  };
  await Promise.all([beds.c1.waitForPeer('c2'), beds.c2.waitForPeer('c1')]);
  return { ...beds, stack };
}

const unavailable = { kind: 'refused', status: 503, reason: 'Service Unavailable' } as const;

/** Processors in turn, as a front asks them. */
function dispatchTo(configurations: readonly CallConfiguration[], down: ReadonlySet<string>): CallDispatch {
  const ask = async <D extends { readonly kind: string }>(
    decide: (configuration: CallConfiguration) => Promise<D>,
  ): Promise<D | typeof unavailable> => {
    let answer: D | typeof unavailable | undefined;
    for (const configuration of configurations) {
      const decision = down.has(configuration.owner) ? unavailable : await decide(configuration);
      if (decision.kind !== 'not-mine' && decision !== unavailable) return decision;
      if (answer === undefined || decision === unavailable) answer = decision;
    }
    return answer ?? unavailable;
  };
  return {
    originate: (facts: OriginateFacts) =>
      ask((configuration) => originate(facts, configuration, authenticate(configuration))),
    locate: (facts) => ask((configuration) => locate(facts, configuration)),
  };
}

/** Everybody's password is `secret`. */
const authenticate =
  ({ subscriber }: CallConfiguration): Authenticate =>
  async (credentials, domain, username) => {
    const row = await subscriber(`${username.split('@')[0]}@${domain.name}`);
    const challenge = {
      kind: 'challenge',
      realm: domain.realm,
      nonce: 'n',
      algorithm: 'MD5',
      stale: false,
    } as const;
    if (!row) return { kind: 'not-mine', challenge };
    if (!credentials) return challenge;
    const { qop, ...input } = credentials;
    const ha1 = digestHa1('MD5', credentials.username, domain.realm, 'secret');
    const expected = digestResponse(ha1, { ...input, qop: qop ? { value: 'auth', ...qop } : undefined });
    return expected === credentials.response ? { kind: 'accepted', row } : challenge;
  };
