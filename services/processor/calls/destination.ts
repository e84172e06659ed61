import type { Callee, Destination, Dialled, OutwardRoute } from '../../protocol/dispatch/call.ts';
import type { Refused } from '../../protocol/dispatch/common.ts';
import { parseSipUri } from '../../sip/message/uri.ts';
import type { SipUri } from '../../sip/message/uri.ts';
import type { CallConfiguration, SubscriberRow } from './configuration.ts';
import { dialledDigits, normaliseNumber } from './numbering-plan.ts';
import type { DiallingArea } from './numbering-plan.ts';
import type { RouteRow } from './route-table.ts';

/** Who dials, as far as it decides where a number leads. */
export type Dialler = DiallingArea & {
  /** Domain of names without a host. */
  readonly domain: string | null;
  readonly mayUse: (route: RouteRow) => boolean;
};

type Configuration = Pick<CallConfiguration, 'domainAt' | 'routes' | 'thirdParties'>;

/** A subscriber dials: in his area, with his class of service. Forwarding dials so on his behalf. */
export function subscriberDialler(row: SubscriberRow): Dialler {
  return {
    countryCode: row.country_code,
    areaCode: row.area_code,
    domain: row.aor.slice(row.aor.indexOf('@') + 1),
    mayUse: (route) => row.class_of_service.includes(route.class),
  };
}

/** A third-party site dials E.164 or names, and reaches other third parties only by routes open to transit. */
export const thirdPartyDialler: Dialler = {
  countryCode: null,
  areaCode: null,
  domain: null,
  mayUse: (route) => route.transit,
};

/** Whom the dialled text means: normalised where it was dialled in a domain served here, or as a telephone number. */
export function calleeOf(dialled: Dialled, dialler: Dialler, { domainAt }: Configuration): Callee {
  const written = dialled.host === null ? undefined : domainAt(dialled.host);
  const isOurs = isServedHere(dialled, { domainAt });
  const host = written?.name ?? (isOurs ? dialler.domain : dialled.host);
  const user = isTelephone(dialled.user) ? dialledDigits(dialled.user) : dialled.user;
  return {
    address: host === null ? null : `${user}@${host}`,
    number: (isOurs ? normaliseNumber(dialled.user, dialler) : undefined) ?? null,
  };
}

/** Where the dialled text leads by this dialler's configuration, and why, in words. */
export function destinationOf(
  dialled: Dialled,
  dialler: Dialler,
  configuration: Configuration,
): { readonly destination: Destination; readonly steps: readonly string[] } {
  const callee = calleeOf(dialled, dialler, configuration);
  const steps = [calleeInWords(dialled, callee, dialler)];
  const digits = isTelephone(dialled.user) ? dialledDigits(dialled.user) : undefined;
  const isServed = isServedHere(dialled, configuration);
  if (digits === undefined || !isServed) {
    return { destination: { callee, route: null, refusal: notFound, isEmergency: false }, steps };
  }
  const emergency = configuration.routes.emergency(digits);
  if (emergency) {
    steps.push(`${digits} is an emergency number: class of service and limits do not apply`);
    const route = outwardRoute(emergency, configuration);
    const asDialled = { ...callee, number: null };
    return { destination: { callee: asDialled, route, refusal: notFound, isEmergency: true }, steps };
  }
  const row = configuration.routes.longestPrefix(callee.number ?? digits);
  const isAllowed = row !== undefined && dialler.mayUse(row);
  steps.push(routeInWords(row, isAllowed));
  const route = row && isAllowed ? outwardRoute(row, configuration) : null;
  const refusal = row && !isAllowed ? forbidden(row) : notFound;
  return { destination: { callee, route, refusal, isEmergency: false }, steps };
}

function isServedHere({ host, isHere }: Dialled, { domainAt }: Pick<Configuration, 'domainAt'>): boolean {
  return host === null || isHere || domainAt(host) !== undefined;
}

const notFound: Refused = { kind: 'refused', status: 404, reason: 'Not Found' };

function forbidden({ class: routeClass }: RouteRow): Refused {
  return { kind: 'refused', status: 403, reason: `Route class ${routeClass} is not open to the caller` };
}

function outwardRoute(row: RouteRow, { thirdParties }: Configuration): OutwardRoute {
  const unprobed = new Set(thirdParties.flatMap(({ probe, addresses }) => (probe ? [] : addresses)));
  return {
    prefix: row.prefix,
    class: row.class,
    nextHops: row.next_hops.map((uri) => ({ uri, probe: !isUnprobed(parseSipUri(uri), unprobed) })),
  };
}

function isUnprobed(uri: SipUri | undefined, unprobed: ReadonlySet<string>): boolean {
  return uri !== undefined && (unprobed.has(uri.host) || unprobed.has(`${uri.host}:${uri.port ?? 5060}`));
}

/** Digits with an optional `+`, `*` and `#` as dialled, separators between them. */
function isTelephone(user: string): boolean {
  return /^\+?[-.()\s]*[0-9*#][-.()\s0-9*#]*$/.test(user);
}

function calleeInWords(
  { user, host }: Dialled,
  { address, number }: Callee,
  { countryCode, areaCode }: Dialler,
): string {
  const asked = host === null ? user : `${user}@${host}`;
  const meant = [address, number].filter((each) => each !== null).join(' or ');
  const from =
    number !== null && countryCode !== null
      ? `, dialled from country ${countryCode}${areaCode === null ? '' : `, area ${areaCode}`},`
      : '';
  return `${asked}${from} means ${meant || 'nothing here'}`;
}

function routeInWords(row: RouteRow | undefined, isAllowed: boolean): string {
  if (!row) return 'no route leads there: who is not found here is answered 404';
  const hops = row.next_hops.join(', then ');
  return isAllowed
    ? `route ${row.prefix} (class ${row.class}) leads there by ${hops}, if it is nobody's number here`
    : `route ${row.prefix} leads there, but class ${row.class} is not open to the caller: 403, if it is nobody's number here`;
}
