import { z } from 'zod';
import { comparisonSchema, tableDigestSchema } from '../../protocol/digest.ts';
import { incarnationSchema } from '../../protocol/event.ts';
import { LogName } from '../../protocol/names.ts';
import { keyRangeSchema } from '../../protocol/scope.ts';

/** What the comparing site asks of the one that holds the copy. A comparison is known by its id. */

const comparison = { id: z.uuid() };
const tableName = z.string().max(64);

/** Stay at exactly this position for me. */
export const openSchema = z.strictObject({
  ...comparison,
  log: z.enum(LogName),
  incarnation: incarnationSchema,
  seq: z.int().nonnegative(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});

export const digestParamsSchema = z.strictObject({
  ...comparison,
  table: tableName,
  range: keyRangeSchema.nullable(),
});
export const digestResultSchema = tableDigestSchema;

export const rowsParamsSchema = z.strictObject({
  ...comparison,
  table: tableName,
  buckets: z.array(z.int().nonnegative()).max(1024),
  range: keyRangeSchema.nullable(),
  after: z.string().nullable(),
  rowsMax: z.int().positive().max(1000),
});
export const rowsResultSchema = z.array(
  z.object({ key: z.string(), values: z.array(z.string().nullable()) }),
);

/** What came out; the copy keeps it as its proof. Not told where only a part was compared. */
export const closeSchema = z.strictObject({ ...comparison, comparison: comparisonSchema.nullable() });
