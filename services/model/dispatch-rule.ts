import { z } from 'zod';
import { siteNameSchema } from '../protocol/names.ts';
import { plainText, text } from './field.ts';
import { defineKind } from './kind.ts';
import type { RowOf } from './kind.ts';

const name = "[A-Za-z0-9._~!$&'()*+,;=%-]+(?:@[a-z0-9][a-z0-9.-]*)?";

export const dispatchRule = defineKind({
  name: 'dispatch_rule',
  table: 'dispatch_rules',
  title: 'Dispatch rule',
  description:
    'Which processor of this site decides about a device, where an operator wants another than by itself; the copy at the peer never takes effect there.',
  fields: {
    name: text(plainText(64), 'Name of the rule'),
    matches: text(
      z
        .string()
        .max(640)
        .regex(
          new RegExp(`^(?:\\*|[0-9*#+]+\\*|[a-z0-9][a-z0-9.-]*|${name}|${name}\\.\\.${name})$`),
          '*, a domain, user@domain, a range a..b, or leading digits with * behind them',
        ),
      'What it is about: * (everything), a domain, user@domain, a range of users a..b or of addresses, or leading digits: 4930*',
    ),
    processor: text(
      z.union([z.literal('home'), siteNameSchema]),
      "Whose processor: home, or the peer's name",
    ),
    action: text(
      z.enum(['pin', 'drain']),
      'pin: it decides, whoever the device belongs to; drain: devices it would decide for are sent to their other site',
    ),
  },
});

export type DispatchRule = RowOf<typeof dispatchRule.fields>;
