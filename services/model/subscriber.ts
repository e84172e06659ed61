import { z } from 'zod';
import { siteNameSchema } from '../protocol/names.ts';
import { aor, dialled, routeClass, sipUri, timeZone } from './common.ts';
import { list, optionalInteger, optionalSecret, optionalText, plainText, text } from './field.ts';
import { defineKind } from './kind.ts';

const forwardTo = z.union([sipUri, dialled]) as z.ZodType<string>;
const hex = (digits: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`), `${digits} lower-case hex digits`);

export const subscriber = defineKind({
  name: 'subscriber',
  table: 'subscribers',
  title: 'Subscriber',
  description:
    'A user: credentials, home and backup site, class of service, forwarding, where he dials from.',
  fields: {
    aor: text(aor, 'Address of record, user@domain'),
    display_name: optionalText(plainText(128), 'Name shown to the called'),
    ha1_md5: optionalSecret(hex(32), 'MD5(user:realm:password), hex (RFC 7616 section 3.4.2)'),
    ha1_sha256: optionalSecret(
      hex(64),
      'SHA-256(user:realm:password), hex; offered instead of MD5 where set alone',
    ),
    home_site: text(siteNameSchema, 'The site the subscriber belongs to'),
    backup_site: optionalText(siteNameSchema, 'The site preset as its substitute'),
    class_of_service: list(routeClass, 16, 'Route classes the subscriber may call'),
    forward_always: optionalText(forwardTo, 'Every call goes here'),
    forward_busy: optionalText(forwardTo, 'Calls go here while the subscriber is busy'),
    forward_no_answer: optionalText(forwardTo, 'Calls go here when nobody answers'),
    forward_no_answer_seconds: optionalInteger(
      z.int().min(1).max(180),
      'How long it rings before that; 20 where unset',
    ),
    forward_unreachable: optionalText(forwardTo, 'Calls go here while no device is registered'),
    area_code: optionalText(z.string().regex(/^[0-9]{1,8}$/), 'Area code prefixed to local numbers'),
    country_code: optionalText(
      z.string().regex(/^[1-9][0-9]{0,2}$/),
      'Country calling code prefixed to national numbers',
    ),
    time_zone: optionalText(timeZone, 'IANA time zone'),
  },
});
