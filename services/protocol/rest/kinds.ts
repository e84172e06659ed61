import { z } from 'zod';

/** What can be configured: the fields of each kind in their order, the first of them its key. */
export const kindSchema = z.object({
  kind: z.string(),
  title: z.string(),
  description: z.string(),
  key: z.string(),
  fields: z.array(
    z.object({
      name: z.string(),
      type: z.enum(['text', 'integer', 'boolean', 'list']),
      nullable: z.boolean(),
      secret: z.boolean(),
      description: z.string(),
    }),
  ),
  /** JSON Schema (2020-12) of a row. */
  schema: z.record(z.string(), z.unknown()),
});
export type KindView = z.infer<typeof kindSchema>;

export const kindListSchema = z.object({ kinds: z.array(kindSchema) });
