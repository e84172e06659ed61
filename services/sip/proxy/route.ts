import { parseAddress } from '../message/address.ts';
import type { Request } from '../message/message.ts';
import { formatUri, isSip } from '../message/uri.ts';
import type { SipUri, Uri } from '../message/uri.ts';

/** Request-URI and Route values a request goes on with, as texts. */
export type RouteSet = { readonly uri: string; readonly routes: readonly string[] };

/**
 * Route preprocessing (RFC 3261 section 16.4): undoes what a strict router upstream did to the Request-URI, takes off
 * an `maddr` that is this element, and takes off this element's own Route values. Those are returned, topmost first;
 * there are two where a Record-Route named each side (RFC 5658).
 */
export function preprocessRoute(
  request: Request,
  isOwn: (uri: SipUri) => boolean,
): RouteSet & { readonly own: readonly SipUri[] } {
  const { uri, routes, own } = undoStrictRouting(request, isOwn);
  const uris = routes.map((route) => sipUriOf(route));
  const firstOther = uris.findIndex((each) => !each || !isOwn(each));
  const ownCount = firstOther < 0 ? routes.length : firstOther;
  const taken = uris.slice(0, ownCount).filter((each) => each !== undefined);
  return { uri, routes: routes.slice(ownCount), own: [...own, ...taken] };
}

/**
 * Where the request goes next (section 16.6 steps 6 and 7). A first Route without `lr` is a strict router: it gets the
 * Request-URI's place, and the Request-URI goes to the end.
 */
export function routeOnward({ uri, routes }: RouteSet): RouteSet & { readonly nextHop: string } {
  const first = sipUriOf(routes[0] ?? '');
  if (!first) return { uri, routes, nextHop: uri };
  if (first.params.has('lr')) return { uri, routes, nextHop: formatUri(first) };
  const strictUri = asRequestUri(first);
  return { uri: strictUri, routes: [...routes.slice(1), `<${uri}>`], nextHop: strictUri };
}

/** The Request-URI is one of our Record-Route values (they carry `lr`): the real one is the last Route value. */
function undoStrictRouting(
  request: Request,
  isOwn: (uri: SipUri) => boolean,
): RouteSet & { readonly own: readonly SipUri[] } {
  const routes = request.values('route');
  const { uri } = request;
  if (!uri || !isSip(uri)) return { uri: request.uriText, routes, own: [] };
  const last = parseAddress(routes.at(-1) ?? '');
  if (last && uri.params.has('lr') && isOwn(uri)) {
    return { uri: asRequestUri(last.uri), routes: routes.slice(0, -1), own: [uri] };
  }
  return { uri: withoutOwnMaddr(uri, request.uriText, isOwn), routes, own: [] };
}

/** A Route value's URI as a Request-URI, which has no header part (section 19.1.1). */
function asRequestUri(uri: Uri): string {
  return formatUri(isSip(uri) ? { ...uri, headers: undefined } : uri);
}

function withoutOwnMaddr(uri: SipUri, text: string, isOwn: (uri: SipUri) => boolean): string {
  const maddr = uri.params.get('maddr');
  if (maddr === undefined || !isOwn({ ...uri, host: maddr })) return text;
  return formatUri({ ...uri, port: undefined, params: uri.params.without('maddr').without('transport') });
}

function sipUriOf(route: string): SipUri | undefined {
  const uri = parseAddress(route)?.uri;
  return uri && isSip(uri) ? uri : undefined;
}
