import type { Params } from './params.ts';
import { formatUri, isSip } from './uri.ts';
import type { SipUri, TelUri, Uri } from './uri.ts';

/** Parameters that never match their own absence (section 19.1.4; `transport` by its examples). */
const significantParams = ['user', 'ttl', 'method', 'maddr', 'transport'];

/** Whether two URIs are equivalent: RFC 3261 section 19.1.4, RFC 3966 section 4 for `tel`. */
export function sameUri(a: Uri, b: Uri): boolean {
  if (isSip(a)) return isSip(b) && sameSipUri(a, b);
  if (a.scheme === 'tel') return b.scheme === 'tel' && sameTelUri(a, b);
  return formatUri(a) === formatUri(b);
}

/**
 * The canonical form an address-of-record is stored and looked up by (section 10.3 step 5): scheme `sip`,
 * escapes that need not be undone, host in lower case, neither port 5060 nor parameters.
 */
export function canonicalAor(uri: SipUri): string {
  const port = uri.port === undefined || uri.port === 5060 ? '' : `:${uri.port}`;
  const host = `${uri.host.toLowerCase()}${port}`;
  return uri.user === undefined ? `sip:${host}` : `sip:${normalEscapes(uri.user)}@${host}`;
}

function sameSipUri(a: SipUri, b: SipUri): boolean {
  return (
    a.scheme === b.scheme &&
    sameEscaped(a.user, b.user) &&
    sameEscaped(a.password, b.password) &&
    a.host.toLowerCase() === b.host.toLowerCase() &&
    a.port === b.port &&
    sameParams(a.params, b.params) &&
    sameHeaders(a.headers, b.headers)
  );
}

function sameEscaped(a: string | undefined, b: string | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && normalEscapes(a) === normalEscapes(b));
}

/** A parameter in both must match; of those in one only, the significant ones do not. */
function sameParams(a: Params, b: Params): boolean {
  const [ofA, ofB] = [normalParams(a), normalParams(b)];
  for (const [name, value] of ofA) if (ofB.has(name) && ofB.get(name) !== value) return false;
  return significantParams.every((name) => ofA.has(name) === ofB.has(name));
}

function normalParams(params: Params): Map<string | undefined, string | undefined> {
  return new Map(params.list.map(({ name, value }) => [folded(name), folded(value)]));
}

/** Header components are never ignored; their order does not matter. */
function sameHeaders(a: string | undefined, b: string | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && sortedHeaders(a) === sortedHeaders(b));
}

function sortedHeaders(headers: string): string {
  return headers
    .split('&')
    .map((header) => {
      const [name = '', ...value] = header.split('=');
      return `${folded(name)}=${normalEscapes(value.join('='))}`;
    })
    .sort()
    .join('&');
}

function folded(text: string | undefined): string | undefined {
  return text === undefined ? undefined : normalEscapes(text).toLowerCase();
}

/** Undoes every escape of an unreserved character, writes the other escapes in upper case, and escapes `#`. */
function normalEscapes(text: string): string {
  if (!text.includes('%') && !text.includes('#')) return text;
  return text.replaceAll('#', '%23').replaceAll(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[a-z0-9\-_.!~*'()]/i.test(character) ? character : escape.toUpperCase();
  });
}

function sameTelUri(a: TelUri, b: TelUri): boolean {
  const digits = (uri: TelUri) => uri.number.replaceAll(/[-.()]/g, '').toLowerCase();
  const [ofA, ofB] = [normalParams(a.params), normalParams(b.params)];
  return (
    digits(a) === digits(b) &&
    ofA.size === ofB.size &&
    [...ofA].every(([name, value]) => ofB.has(name) && ofB.get(name) === value)
  );
}
