import type { Callee, Found } from '../../protocol/dispatch/call.ts';
import type { Binding, Chain, FlowTarget, PeerTarget } from './target.ts';

/** What is known about the ways out of this site. */
export type Surroundings = {
  readonly site: string;
  /** Whether the peer's front answers, as far as is known. */
  readonly isPeerAlive: (site: string) => boolean;
  /** Whether what the peer knows arrives here. */
  readonly isLinkUp: (site: string) => boolean;
};

/**
 * The ways to a subscriber's devices: one chain a device, all tried at once (RFC 3261 section 16.6, RFC 5626 section 7);
 * `bindings` has the latest first. While the link is down a peer may have devices unknown here: it is asked once.
 *
 * A request that came from a peer never goes to a peer: two sites that each believe the other has it cannot circle.
 */
export function planDevices(
  { aor, homeSite, backupSite }: Pick<Found, 'aor' | 'homeSite' | 'backupSite'>,
  bindings: readonly Binding[],
  surroundings: Surroundings,
  isFromPeer: boolean,
): Chain[] {
  const chains = new Map<string, [FlowTarget | PeerTarget, ...(FlowTarget | PeerTarget)[]]>();
  for (const binding of bindings) {
    const target = targetOf(binding, surroundings, isFromPeer);
    if (!target) continue;
    const chain = chains.get(binding.device);
    if (chain) chain.push(target);
    else chains.set(binding.device, [target]);
  }
  if (chains.size > 0 || isFromPeer) return [...chains.values()];
  const callee = { address: aor, number: null };
  return [...new Set([homeSite, backupSite])].flatMap((site): Chain[] =>
    site !== null && mayKnowMore(site, surroundings) ? [[askPeer(site, callee)]] : [],
  );
}

/** Whatever the peer knows of the callee. */
export function askPeer(site: string, callee: Callee): PeerTarget {
  return { kind: 'peer', site, callee, binding: null };
}

/** The way to a binding; undefined where there is none from here. */
export function targetOf(
  binding: Binding,
  { site, isPeerAlive }: Surroundings,
  isFromPeer: boolean,
): FlowTarget | PeerTarget | undefined {
  if (binding.site === site) return { kind: 'flow', binding };
  if (isFromPeer || !isPeerAlive(binding.site)) return undefined;
  return {
    kind: 'peer',
    site: binding.site,
    callee: { address: binding.aor, number: null },
    binding,
  };
}

function mayKnowMore(peer: string, { site, isLinkUp, isPeerAlive }: Surroundings): boolean {
  return peer !== site && !isLinkUp(peer) && isPeerAlive(peer);
}
