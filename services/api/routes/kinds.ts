import { z } from 'zod';
import type { Kind } from '../../model/kind.ts';
import { kinds } from '../../model/kinds.ts';
import { kindListSchema } from '../../protocol/rest/kinds.ts';
import type { KindView } from '../../protocol/rest/kinds.ts';
import { allow } from '../access.ts';
import type { ApiContext } from '../context.ts';

export function kindRoutes(context: ApiContext): void {
  const answer = { kinds: kinds.map(shown) };
  context.server.app.get(
    '/v1/kinds',
    {
      onRequest: allow(context, 'viewer'),
      schema: { summary: 'What can be configured, field by field', response: { 200: kindListSchema } },
    },
    async () => answer,
  );
}

function shown({ name: kind, title, description, key, fields, schema }: Kind): KindView {
  return {
    kind,
    title,
    description,
    key,
    fields: Object.entries(fields).map(([name, { type, nullable, secret, description: about }]) => ({
      name,
      type,
      nullable,
      secret,
      description: about,
    })),
    schema: z.toJSONSchema(schema, { io: 'input' }),
  };
}
