import { z } from 'zod';
import { actorSchema, incarnationSchema } from '../event.ts';
import { LogName } from '../names.ts';
import { positionSchema } from '../link/position-json.ts';

export const logEventsMax = 1_000;

/** Which log of the site is meant. */
export const logNameQuerySchema = z.object({ log: z.enum(LogName).default('configuration') });

/** Events behind `after` (0: from the oldest held), of one subject where it is given: `subscriber/alice@c1.example`. */
export const logQuerySchema = logNameQuerySchema.extend({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(logEventsMax).default(100),
  subject: z.string().max(1_024).optional(),
  /** Waits up to this long for an event where there is none yet. */
  wait_seconds: z.coerce.number().int().min(0).max(30).default(0),
});

/** One event of the log. In `event` (CloudEvents 1.0) secrets show as a mark; `hash` covers the bytes as stored. */
export const logEventSchema = z.object({
  seq: z.int().positive(),
  time: z.iso.datetime(),
  hash: z.string(),
  bytes: z.int().positive(),
  event: z.record(z.string(), z.unknown()),
});
export type LogEvent = z.infer<typeof logEventSchema>;

/** A page of events; `next` is the `after` of the following one, `head` the last event there is. */
export const logPageSchema = z.object({
  events: z.array(logEventSchema),
  next: z.int().nonnegative(),
  head: z.int().nonnegative(),
});
export type LogPage = z.infer<typeof logPageSchema>;

/** Accepts a log as it is and begins a new incarnation of it. */
export const beginIncarnationSchema = z.strictObject({
  log: z.enum(LogName).default('configuration'),
  reason: z.string().min(1).max(512),
});

/** Who begins an incarnation, and why, as the program that writes the log is told. */
export const incarnationCauseSchema = z.strictObject({
  actor: actorSchema,
  reason: beginIncarnationSchema.shape.reason,
});
export type IncarnationCause = z.infer<typeof incarnationCauseSchema>;

/** Where the new incarnation begins. */
export const incarnationBegunAnswerSchema = positionSchema;

/** Where the log began anew. */
export const incarnationListSchema = z.object({
  incarnations: z.array(
    z.object({
      incarnation: incarnationSchema,
      firstSeq: z.int().positive(),
      parent: positionSchema.nullable(),
      begun: z.iso.datetime(),
      reason: z.string(),
    }),
  ),
});
