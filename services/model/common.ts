import { z } from 'zod';
import { plainText } from './field.ts';

/** A DNS name or an IPv4 address, lower case (RFC 1123); IPv6 addresses in brackets. */
export const host = z
  .string()
  .max(253)
  .regex(
    /^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])$/,
    'a lower-case host name or address',
  );

/** `host` or `host:port`. */
export const hostPort = z
  .string()
  .max(260)
  .regex(/^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$/, 'host or host:port');

/** An address of record without its scheme: `user@domain` (RFC 3261 section 10.1). */
export const aor = z
  .string()
  .max(320)
  .regex(/^[A-Za-z0-9._~!$&'()*+,;=%-]{1,128}@[a-z0-9][a-z0-9.-]*$/, 'user@domain, domain in lower case');

/** A SIP or SIPS URI (RFC 3261 section 19.1), at most 512 characters. */
export const sipUri = z
  .string()
  .max(512)
  .regex(/^sips?:[^\s<>"]+$/i, 'a sip: or sips: URI');

/** `+` and digits (E.164), or 2 to 15 digits with `*` and `#` as dialled. */
export const dialled = z
  .string()
  .regex(/^(\+[1-9][0-9]{1,14}|[0-9*#]{2,15})$/, '+E.164 or digits as dialled');

/** A route class, as subscribers' classes of service name it. */
export const routeClass = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and hyphens');

const timeZones = new Set([...Intl.supportedValuesOf('timeZone'), 'UTC']);

/** An IANA time zone name known to this runtime. */
export const timeZone = plainText(64).refine(
  (zone) => timeZones.has(zone),
  'an IANA time zone such as Europe/Berlin',
);
