import type { Found, OutwardRoute } from '../../protocol/dispatch/call.ts';
import type { Binding, Chain, Target } from './target.ts';

/** What is known about the ways out of this site. */
export type Surroundings = {
  readonly site: string;
  /** A request that came from a peer never goes to a peer: so two sites that each believe the other has it cannot circle. */
  readonly isFromPeer: boolean;
  /** Whether the peer's front answers, as far as is known. */
  readonly isPeerAlive: (site: string) => boolean;
  /** Whether what the peer knows arrives here. */
  readonly isLinkUp: (site: string) => boolean;
  readonly isHopAlive: (uri: string) => boolean;
};

/**
 * The ways to a subscriber's devices: one chain a device, all tried at once (RFC 3261 section 16.6, RFC 5626 section 7);
 * `bindings` has the latest first. While the link is down the peer may have devices unknown here: it is asked once.
 */
export function planDevices(
  { aor, homeSite, backupSite }: Pick<Found, 'aor' | 'homeSite' | 'backupSite'>,
  bindings: readonly Binding[],
  surroundings: Surroundings,
): Chain[] {
  const chains = new Map<string, [Target, ...Target[]]>();
  for (const binding of bindings) {
    const target = targetOf(binding, surroundings);
    if (!target) continue;
    const chain = chains.get(binding.device);
    if (chain) chain.push(target);
    else chains.set(binding.device, [target]);
  }
  if (chains.size > 0 || surroundings.isFromPeer) return [...chains.values()];
  return [...new Set([homeSite, backupSite])].flatMap((site): Chain[] =>
    site !== null && mayKnowMore(site, surroundings) ? [[{ kind: 'peer', site, aor, binding: null }]] : [],
  );
}

function mayKnowMore(peer: string, { site, isLinkUp, isPeerAlive }: Surroundings): boolean {
  return peer !== site && !isLinkUp(peer) && isPeerAlive(peer);
}

/** The way to a binding; undefined where there is none from here. */
export function targetOf(
  binding: Binding,
  { site, isFromPeer, isPeerAlive }: Surroundings,
): Target | undefined {
  if (binding.site === site) return { kind: 'flow', binding };
  if (isFromPeer || !isPeerAlive(binding.site)) return undefined;
  return { kind: 'peer', site: binding.site, aor: binding.aor, binding };
}

/** The way out of the pair: the route's next hops that are alive, in their order. */
export function planRoute(route: OutwardRoute, { isHopAlive }: Surroundings): Chain | undefined {
  const alive = route.nextHops.filter(({ uri, probe }) => !probe || isHopAlive(uri));
  const [first, ...others] = alive.map(({ uri }): Target => ({ kind: 'next-hop', uri, route }));
  return first && [first, ...others];
}
