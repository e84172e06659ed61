import { z } from 'zod';
import { aor } from './common.ts';
import { text } from './field.ts';
import { defineKind } from './kind.ts';

export const number = defineKind({
  name: 'number',
  table: 'numbers',
  title: 'Number',
  description: 'A telephone number and the address of record it leads to.',
  fields: {
    number: text(
      z.string().regex(/^(\+[1-9][0-9]{1,14}|[0-9*#]{1,15}@[a-z0-9][a-z0-9.-]*)$/, '+E.164, or short@domain'),
      'E.164 with +, or a short number of one domain: 42@example.com',
    ),
    aor: text(aor, 'The address of record it leads to'),
  },
});
