import { z } from 'zod';
import { routeClass, sipUri } from './common.ts';
import { flag, list, text } from './field.ts';
import { defineKind } from './kind.ts';

export const route = defineKind({
  name: 'route',
  table: 'routes',
  title: 'Route',
  description:
    'Numbers with this prefix leave by these next hops, tried in order; the longest prefix decides.',
  fields: {
    prefix: text(
      z
        .string()
        .regex(/^\+?[0-9*#]{0,15}$/)
        .min(1),
      'Leading digits of the normalised number, or + for all',
    ),
    class: text(routeClass, 'Route class; a subscriber needs it in the class of service'),
    next_hops: list(sipUri, 8, 'SIP URIs, tried in this order'),
    transit: flag(false, 'Whether third-party sites may use it, too'),
    emergency: flag(
      false,
      'Whether the prefix is a whole emergency number as it is dialled, open to everybody whatever the class',
    ),
  },
});
