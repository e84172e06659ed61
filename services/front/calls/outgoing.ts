import type { RouteSet } from '../../sip/proxy/route.ts';
import { routeOnward } from '../../sip/proxy/route.ts';
import type { TokenKeys } from '../../sip/auth/token.ts';
import { formatUri, parseSipUri } from '../../sip/message/uri.ts';
import type { Address } from '../../protocol/program-config.ts';
import { sealCalleeToken } from './callee-token.ts';
import type { HopTarget, PeerTarget, SendTarget } from './target.ts';

/** The request's own Request-URI and the Route values that are left, where they decide (in a dialog, from a peer). */
export type Routed = RouteSet & {
  readonly isRouted: boolean;
  /** Of the dialog, where there is one. */
  readonly token?: string | undefined;
};

/**
 * Request-URI and Route values a request goes to a target with (RFC 3261 section 16.6 steps 2 and 6). A new call gets the
 * device's contact; a request in a dialog keeps what its sender learned from the other end.
 */
export function routeSetFor(
  target: SendTarget,
  { uri, routes, isRouted, token }: Routed,
  pair: { readonly keys: TokenKeys; readonly frontOf: (site: string) => Address },
): RouteSet {
  switch (target.kind) {
    case 'flow':
      return isRouted ? { uri, routes } : { uri: target.binding.contact, routes: target.binding.path };
    case 'peer':
      return peerRouteSet(target, { uri, routes, isRouted, token }, pair);
    case 'next-hop':
      return { uri: hopUri(target), routes: [] };
    case 'onward':
      return routeOnward({ uri, routes });
    case 'edge':
      return { uri, routes };
  }
}

function peerRouteSet(
  { binding, callee, site }: PeerTarget,
  { uri, routes, isRouted, token }: Routed,
  { keys, frontOf }: { readonly keys: TokenKeys; readonly frontOf: (site: string) => Address },
): RouteSet {
  if (!binding) {
    const { host, port } = frontOf(site);
    const handOver = (user: string): string => `<sip:${user}@${host}:${port};transport=tls;lr>`;
    if (isRouted) return { uri, routes: [handOver(token ?? ''), ...routes] };
    const asked = callee.address === null ? uri : `sip:${callee.address}`;
    return { uri: asked, routes: [handOver(sealCalleeToken(keys, callee))] };
  }
  const edge = `<${binding.edge}>`;
  return isRouted
    ? { uri, routes: [edge, ...routes] }
    : { uri: binding.contact, routes: [edge, ...binding.path] };
}

/** The next hop asked for the number: its URI with the number as user. */
function hopUri({ uri, user }: HopTarget): string {
  const hop = parseSipUri(uri);
  if (!hop) return uri;
  return formatUri({ ...hop, user, password: undefined, params: hop.params.without('lr') });
}
