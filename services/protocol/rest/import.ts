import { z } from 'zod';
import { problemSchema } from '../errors/problem.ts';
import { reasonSchema } from './config.ts';

/** Media type of CSV (RFC 4180) with a header line of field names. */
export const csvType = 'text/csv';

const fieldValuesSchema = z
  .preprocess((given) => (typeof given === 'string' ? [given] : given), z.array(z.string().max(1_024)))
  .default([]);

/**
 * How rows that come as CSV or NDJSON become configuration. Lines are taken in batches, each one event: all of its rows
 * or none. The first batch with a row that is refused ends the import; what came before stays.
 */
export const importQuerySchema = z.object({
  /** See `changeSchema`. `delete` needs the key only. */
  mode: z.enum(['put', 'merge', 'delete']).default('put'),
  /** `kamailio`: columns of its `subscriber` table (username, domain, ha1). */
  format: z.enum(['plain', 'kamailio']).default('plain'),
  /** Checks every row against its kind and changes nothing. */
  dry_run: z.stringbool().default(false),
  /** Lines before this one are skipped; the header line counts as 1. */
  from_line: z.coerce.number().int().min(1).default(1),
  batch_rows: z.coerce.number().int().min(1).max(1_000).default(500),
  /** `field=value` for rows that do not give the field; may be repeated. */
  set: fieldValuesSchema,
  reason: reasonSchema.default(''),
});
export type ImportQuery = z.infer<typeof importQuerySchema>;

const countsSchema = z.object({
  /** Everything up to this line is durable (checked, when it is a dry run). */
  line: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  changed: z.int().nonnegative(),
  /** Event of the last change; 0 before the first. */
  seq: z.int().nonnegative(),
});

/** What an import answers while it goes on; the last line is `done`. */
export const importLineSchema = z.discriminatedUnion('type', [
  countsSchema.extend({ type: z.literal('progress') }),
  z.object({
    type: z.literal('refused'),
    line: z.int(),
    /** What is wrong with it; `column` is the field, where one is at fault. */
    faults: z.array(z.object({ column: z.string().nullable(), message: z.string() })),
  }),
  countsSchema.extend({
    type: z.literal('done'),
    ok: z.boolean(),
    refused: z.int().nonnegative(),
    /** Where to go on once its cause is removed; null when all is done. */
    resumeFrom: z.int().nullable(),
    /** Why it ended before the last line, where a row was not the cause. */
    problem: problemSchema.nullable(),
  }),
]);
export type ImportLine = z.infer<typeof importLineSchema>;
export type ImportDone = Extract<ImportLine, { type: 'done' }>;

/** Rows reported as refused; the import ends there, a dry run too. */
export const refusedRowsMax = 1_000;
