import type { Callee, OutwardRoute } from '../../protocol/dispatch/call.ts';
import { decodeFlowToken } from '../../sip/transport/flow-token.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { parseSipUri } from '../../sip/message/uri.ts';
import type { Transports } from '../transport/transports.ts';
import { askPeer } from '../calls/plan.ts';
import type { Surroundings } from '../calls/plan.ts';
import { chainOf } from '../calls/target.ts';
import type { Binding, Chain, HopTarget, SendTarget } from '../calls/target.ts';
import type { Pair } from './ports.ts';
import type { Prober } from './prober.ts';
import type { Servers } from './servers.ts';

export type WaysOptions = {
  readonly pair: Pair;
  readonly transports: Transports;
  readonly servers: Servers;
  readonly prober: Prober;
};

/** What is known of a next hop; only one that is silent is left out. */
export type HopState = 'not-probed' | 'not-yet-known' | 'serving' | 'silent';

/** The ways out of this front: which are alive, and the flow to send by. */
export class Ways {
  readonly #options: WaysOptions;

  constructor(options: WaysOptions) {
    this.#options = options;
    for (const { name } of options.pair.peers) this.#isPeerAlive(name);
  }

  get surroundings(): Surroundings {
    const { site, isLinkUp } = this.#options.pair;
    return { site, isLinkUp, isPeerAlive: (name) => this.#isPeerAlive(name) };
  }

  /** The flow to a target; undefined where there is none, or none any longer. */
  flowTo(target: SendTarget): Flow | undefined {
    const { transports } = this.#options;
    switch (target.kind) {
      case 'flow':
        return this.#open(this.flowOf(target.binding));
      case 'edge':
        return this.#open(target.flow);
      case 'peer':
        return this.#peerFlow(target.site);
      default:
        return transports.flowTo(target.server);
    }
  }

  /** The flow of a binding of this site, open or not. */
  flowOf({ edge, site }: Binding): Flow | undefined {
    const { pair } = this.#options;
    const token = site === pair.site ? parseSipUri(edge)?.user : undefined;
    return token === undefined ? undefined : decodeFlowToken([pair.keys[0]], token);
  }

  /** The next hops of a route that serve, each at its addresses. */
  async outward(route: OutwardRoute, user: string): Promise<Chain | undefined> {
    const { servers } = this.#options;
    const targets: HopTarget[] = [];
    for (const { uri, state } of this.hopsOf(route)) {
      if (state === 'silent') continue;
      for (const server of await servers.at(uri)) targets.push({ kind: 'next-hop', uri, user, server });
    }
    return chainOf(targets);
  }

  /** The next hops of a route in the order in which they are tried, and what is known of each. */
  hopsOf({ nextHops }: OutwardRoute): { readonly uri: string; readonly state: HopState }[] {
    return nextHops.map(({ uri, probe }) => ({ uri, state: probe ? this.#stateOf(uri) : 'not-probed' }));
  }

  /** Where a request in a dialog goes on by itself. */
  async onward(nextHop: string): Promise<Chain | undefined> {
    const servers = await this.#options.servers.at(nextHop);
    return chainOf(servers.map((server) => ({ kind: 'onward', server })));
  }

  /** The peers, to be asked for somebody of whom this site knows too little. */
  askPeers(callee: Callee): Chain | undefined {
    const names = this.#options.pair.peers.map(({ name }) => name);
    return chainOf(names.filter((name) => this.#isPeerAlive(name)).map((name) => askPeer(name, callee)));
  }

  /** A target gave no sign of life. */
  suspect(target: SendTarget): void {
    if (target.kind === 'next-hop') this.#options.prober.suspect(target.uri);
    if (target.kind === 'peer') this.#options.prober.suspect(peerUri(target.site));
  }

  #open(flow: Flow | undefined): Flow | undefined {
    return flow && this.#options.transports.isOpen(flow) ? flow : undefined;
  }

  #isPeerAlive(name: string): boolean {
    if (!this.#frontOf(name)) return false;
    const flow = async (): Promise<Flow | undefined> => this.#peerFlow(name);
    return this.#options.prober.isAlive({ uri: peerUri(name), flow, serves: () => true }, true);
  }

  #peerFlow(name: string): Flow | undefined {
    const front = this.#frontOf(name);
    if (!front) return undefined;
    const { host, port } = front;
    return this.#options.transports.flowTo({ transport: 'TLS', address: host, port }, { peer: name });
  }

  #frontOf(name: string) {
    return this.#options.pair.peers.find((peer) => peer.name === name)?.sip ?? undefined;
  }

  #stateOf(uri: string): HopState {
    const { prober } = this.#options;
    if (!prober.isAlive(this.#probed(uri))) return 'silent';
    return prober.isKnown(uri) ? 'serving' : 'not-yet-known';
  }

  #probed(uri: string) {
    const flow = async (): Promise<Flow | undefined> => {
      const [server] = await this.#options.servers.at(uri);
      return server && this.#options.transports.flowTo(server);
    };
    return { uri, flow, serves: (status: number) => status !== 503 };
  }
}

function peerUri(name: string): string {
  return `sip:${name}.peer.invalid`;
}
