import { z } from 'zod';
import { problemSchema } from '../errors/problem.ts';
import { reasonSchema, rowSchema, rowSeqSchema, waitSchema } from './config.ts';

/**
 * One change. `put` leaves exactly this row; `merge` replaces the fields given and keeps the others; `delete` removes
 * the row. Deleting a row that is not there, or leaving one as it was, changes nothing and makes no event.
 */
export const changeSchema = z.strictObject({
  op: z.enum(['put', 'merge', 'delete']),
  kind: z.string().max(64),
  /** Taken from the row where left out. */
  key: z.string().min(1).max(512).optional(),
  row: rowSchema.optional(),
  /** Refused unless the row was last changed by this event; 0: unless there is no such row. */
  if_seq: rowSeqSchema.optional(),
  reason: reasonSchema.optional(),
});
export type ChangeBody = z.infer<typeof changeSchema>;

/** Of a change that is done: `seq` is that of its event, or of the row as it was where nothing changed (0: no row). */
export const changeDoneSchema = z.object({ seq: rowSeqSchema, changed: z.boolean() });
export type ChangeDone = z.infer<typeof changeDoneSchema>;

/** Answers to a stream of changes come in its order, one line for each, numbered from 1. */
export const changeLineSchema = z.union([
  changeDoneSchema.extend({ line: z.int() }),
  z.object({ line: z.int(), problem: problemSchema }),
]);

export const changesQuerySchema = z.object({
  /** For changes that give none. */
  reason: reasonSchema.default(''),
  wait: waitSchema.default('local'),
});
