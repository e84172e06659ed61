import { z } from 'zod';

export const alarmsQuerySchema = z.object({
  /** Also those that were cleared. */
  cleared: z.stringbool().default(false),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

/** A condition an operator must know of; `code` is one of the error registry, which says what to do. */
export const alarmSchema = z.object({
  id: z.int(),
  code: z.string(),
  subject: z.string(),
  detail: z.string(),
  facts: z.record(z.string(), z.unknown()),
  raisedAt: z.iso.datetime(),
  clearedAt: z.iso.datetime().nullable(),
  clearedBy: z.string().nullable(),
});
export type AlarmView = z.infer<typeof alarmSchema>;

export const alarmListSchema = z.object({ alarms: z.array(alarmSchema) });
