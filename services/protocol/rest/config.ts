import { z } from 'zod';

/** What a secret field shows instead of its value; given in a change it keeps the value that is there. */
export const sealedMark = '[sealed]';

/** Seq of the event that last changed a row; 0 stands for "no such row". */
export const rowSeqSchema = z.int().nonnegative();

/** Fields of a row by name, in the order of its kind. */
export const rowSchema = z.record(z.string(), z.unknown());

/** Why a change was made; part of its event. */
export const reasonSchema = z.string().max(512);

/** When a change counts as done: durable here, or applied by every peer that receives this site's configuration. */
export const waitSchema = z.enum(['local', 'applied']);
export type Wait = z.infer<typeof waitSchema>;

/** One configured row. */
export const configRowSchema = z.object({
  kind: z.string(),
  key: z.string(),
  seq: rowSeqSchema,
  row: rowSchema,
});
export type ConfigRow = z.infer<typeof configRowSchema>;

/** A page of rows in the order of their keys; `next` is the `after` of the following page, null at the end. */
export const configPageSchema = z.object({ rows: z.array(configRowSchema), next: z.string().nullable() });

export const pageRowsMax = 1_000;

/** Which keys: from `from` up to but without `to`, those that begin with `prefix`, those after `after`. */
export const configRangeQuerySchema = z.object({
  from: z.string().max(512).optional(),
  to: z.string().max(512).optional(),
  prefix: z.string().max(512).optional(),
});

export const configListQuerySchema = configRangeQuerySchema.extend({
  after: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(pageRowsMax).default(100),
});

/** Conditions and cause of one change. */
export const changeQuerySchema = z.object({
  if_seq: z.coerce.number().int().nonnegative().optional(),
  reason: reasonSchema.default(''),
  wait: waitSchema.default('local'),
});
