import { z } from 'zod';
import { siteNameSchema } from '../protocol/names.ts';
import { hostPort } from './common.ts';
import { flag, list, optionalText, text } from './field.ts';
import { defineKind } from './kind.ts';

export const thirdPartySite = defineKind({
  name: 'site',
  table: 'sites',
  title: 'Third-party site',
  description: 'A call-control site outside the pair, trusted by certificate or address.',
  fields: {
    name: text(siteNameSchema, 'Its name here'),
    addresses: list(hostPort, 16, 'Addresses its requests come from and are sent to'),
    transport: text(z.enum(['udp', 'tcp', 'tls']), 'Transport towards it'),
    certificate_sha256: optionalText(
      z.string().regex(/^[0-9a-f]{64}$/),
      'SHA-256 fingerprint of its certificate; where set, the address alone proves nothing',
    ),
    probe: flag(true, 'Whether it is probed with OPTIONS'),
  },
});
