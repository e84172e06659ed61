import { z } from 'zod';
import { plainText, text } from './field.ts';
import { defineKind } from './kind.ts';

export const environment = defineKind({
  name: 'environment',
  table: 'environment',
  title: 'Environment parameter',
  description: 'A parameter of the site itself; the copy at the peer never takes effect there.',
  fields: {
    name: text(z.string().regex(/^[a-z][a-z0-9_.]{0,63}$/), 'Name of the parameter'),
    value: text(plainText(1024), 'Its value'),
  },
});
