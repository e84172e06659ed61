import { z } from 'zod';

/** Rows of a table are spread over this many buckets, a row by its digest. */
export const bucketCount = 1024;

/** `[bucket, rows, sum of the rows' digests]`; empty buckets are left out. */
const bucketDigestSchema = z.tuple([
  z
    .int()
    .min(0)
    .max(bucketCount - 1),
  z.int().positive(),
  z.string().regex(/^[0-9]{1,40}$/),
]);
export type BucketDigest = z.infer<typeof bucketDigestSchema>;

/** What a table holds at one position, in a form two sites can compare. */
export const tableDigestSchema = z.strictObject({
  table: z.string(),
  rows: z.int().nonnegative(),
  buckets: z.array(bucketDigestSchema).max(bucketCount),
});
export type TableDigest = z.infer<typeof tableDigestSchema>;

/** A row that is not the same at both sides; `ours` and `theirs` as the caller sees them. */
export const differenceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('only-ours'), table: z.string(), key: z.string() }),
  z.strictObject({ kind: z.literal('only-theirs'), table: z.string(), key: z.string() }),
  z.strictObject({
    kind: z.literal('differs'),
    table: z.string(),
    key: z.string(),
    columns: z.array(z.string()).min(1),
  }),
]);
export type Difference = z.infer<typeof differenceSchema>;

/** Outcome of comparing two sides at one position, as `proofs` and status carry it. */
export const comparisonSchema = z.strictObject({
  equal: z.boolean(),
  /** Rows of our side. */
  rows: z.int().nonnegative(),
  tables: z.array(
    z.strictObject({
      table: z.string(),
      rowsOurs: z.int().nonnegative(),
      rowsTheirs: z.int().nonnegative(),
      bucketsDiffering: z.int().nonnegative(),
    }),
  ),
  /** The first ones found; `truncated` where there are more. */
  differences: z.array(differenceSchema),
  truncated: z.boolean(),
});
export type Comparison = z.infer<typeof comparisonSchema>;
