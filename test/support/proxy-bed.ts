import { setTimeout as sleep } from 'node:timers/promises';
import { OwnAddresses } from '../../services/front/proxy/own-addresses.ts';
import type { CallDispatch, Pair } from '../../services/front/proxy/ports.ts';
import { Prober } from '../../services/front/proxy/prober.ts';
import { Proxy } from '../../services/front/proxy/proxy.ts';
import type { Servers } from '../../services/front/proxy/servers.ts';
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
import { certificateFiles } from './engine-bed.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import type { SoftPhone } from './soft-phone.ts';
import { freePort } from './test-server.ts';

/** What a bed's front believes and can be made to believe. */
export type ProxyBedState = {
  isLinkUp: boolean;
  isServing: boolean;
  /** Owners whose processor is down. */
  readonly down: Set<string>;
};

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
  #parts: { engine: Engine; transports: Transports; proxy: Proxy; ways: Ways; key: Buffer } | undefined;

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
      readonly servers?: Servers;
    },
  ): Promise<ProxyBed> {
    const bed = new ProxyBed(site);
    const { key, files, ports, peers = [] } = options;
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
    const engine = bed.#stack.use(
      new Engine(systemClock, {
        onRequest: (...request) => proxy.onRequest(...request),
        onAck: (...ack) => proxy.onAck(...ack),
        onClosed: () => undefined,
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
      isServing: () => bed.state.isServing,
    };
    const own = new OwnAddresses(listeners, pair.keys);
    const prober = bed.#stack.use(new Prober({ engine, own, clock: systemClock, onChange: () => undefined }));
    const servers =
      options.servers ??
      createServers(new DnsResolver({ onFailure: () => undefined }), ['UDP', 'TCP', 'TLS']);
    const ways = new Ways({ pair, transports, servers, prober });
    const proxy: Proxy = bed.#stack.use(
      new Proxy({
        engine,
        transports,
        own,
        pair,
        ways,
        bindings: { of: (aor) => bed.#bindings.filter((binding) => binding.aor === aor) },
        dispatch: dispatchTo(configurations, bed.state.down),
        clock: systemClock,
        records: { write: (record) => bed.records.push(record) },
      }),
    );
    bed.#parts = { engine, transports, proxy, ways, key };
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

/** Certificates, keys and ports for the fronts of a pair that know each other. */
export async function openPair(
  configurations: Readonly<Record<'c1' | 'c2', readonly CallConfiguration[]>>,
): Promise<{ readonly c1: ProxyBed; readonly c2: ProxyBed; readonly stack: AsyncDisposableStack }> {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await TemporaryDirectory.create());
  const [p1 = 0, p2 = 0, p3 = 0, p4 = 0, p5 = 0, p6 = 0] = await Promise.all(
    Array.from({ length: 6 }, () => freePort()),
  );
  const of = {
    c1: {
      key: Buffer.alloc(32, 1),
      files: await certificateFiles(directory, 'c1'),
      ports: { udp: p1, tcp: p2, tls: p3 },
    },
    c2: {
      key: Buffer.alloc(32, 2),
      files: await certificateFiles(directory, 'c2'),
      ports: { udp: p4, tcp: p5, tls: p6 },
    },
  };
  const peer = (name: 'c1' | 'c2') => ({
    ...of[name],
    name,
    sip: { host: '127.0.0.1', port: of[name].ports.tls },
  });
  const c1 = stack.use(await ProxyBed.open('c1', configurations.c1, { ...of.c1, peers: [peer('c2')] }));
  const c2 = stack.use(await ProxyBed.open('c2', configurations.c2, { ...of.c2, peers: [peer('c1')] }));
  await Promise.all([c1.waitForPeer('c2'), c2.waitForPeer('c1')]);
  return { c1, c2, stack };
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
