import { z } from 'zod';
import { siteNameSchema } from '../protocol/names.ts';
import { aor, hostPort } from './common.ts';
import { optionalText, plainText, text } from './field.ts';
import { defineKind } from './kind.ts';

export const device = defineKind({
  name: 'device',
  table: 'devices',
  title: 'Access device',
  description:
    'A phone, gateway or IAD. One without an instance identifier is known by its address; one without an address of record serves any subscriber of the site.',
  fields: {
    name: text(plainText(128), 'Name of the device in this configuration'),
    aor: optionalText(aor, 'The address of record it registers; without one it registers any'),
    instance: optionalText(plainText(128), 'Its +sip.instance URN (RFC 5626), where it has one'),
    address: optionalText(hostPort, 'Where it is reached, where it has no instance'),
    transport: optionalText(z.enum(['udp', 'tcp', 'tls']), 'Transport it is expected to use'),
    model: optionalText(plainText(128), 'Maker and model, as in its User-Agent'),
    home_site: text(siteNameSchema, 'The site it belongs to'),
    backup_site: optionalText(siteNameSchema, 'The site preset as its substitute'),
  },
});
