import { z } from 'zod';
import { positionSchema } from './link/position-json.ts';
import { LaneState, proofSchema } from './link/report.ts';
import { LogName, siteNameSchema } from './names.ts';

/** How replication stands, served by the synchronizer at /status beside /health. */

/** How one direction, or the whole, is. In order from good to bad. */
export const Health = {
  /** Applied as it comes, and proven equal by a comparison. */
  ok: 'ok',
  /** As `ok`, but no comparison was made yet. */
  unproven: 'unproven',
  /** Not applying just now, or late; it goes on by itself. */
  catchingUp: 'catching-up',
  /** Nothing was heard for three heartbeats: what is shown is the last that was known. */
  unknown: 'unknown',
  /** It goes on only when somebody or something removes the cause. */
  halted: 'halted',
} as const;
export type Health = (typeof Health)[keyof typeof Health];

const seq = z.int().nonnegative();
const seconds = z.number().nonnegative();

/** A registered error that explains a state. */
const troubleSchema = z.object({ code: z.string(), detail: z.string(), action: z.string() });

/** One log of one site, and the copy of it at another. What is null is not known. */
export const directionSchema = z.object({
  log: z.enum(LogName),
  from: siteNameSchema,
  to: siteNameSchema,
  health: z.enum(Health),
  /** Age of what the other site has said of it; null if it never did. While it is current, both sites show the same. */
  heardSecondsAgo: seconds.nullable(),
  /** The end of the log at `from`, read within the last second: the positions below may be newer. */
  head: positionSchema.nullable(),
  /** The oldest event `from` still holds. */
  firstSeq: seq.nullable(),
  sent: seq.nullable(),
  received: seq.nullable(),
  applied: seq.nullable(),
  eventsBehind: seq.nullable(),
  /** Since `to` first knew of the oldest event it has not applied. */
  secondsBehind: seconds.nullable(),
  bytesUnsent: z.number().nonnegative().nullable(),
  lane: z.enum(LaneState).nullable(),
  trouble: troubleSchema.nullable(),
  /** The last comparison of both at the same seq. */
  proof: proofSchema.nullable(),
  /** Whether the copy may serve: it was proven equal once, and nothing has shown otherwise since. */
  ready: z.boolean(),
  /** What would be lost if `from` died now. */
  loss: z.object({ changes: seq, oldestSeconds: seconds }).nullable(),
});
export type Direction = z.infer<typeof directionSchema>;

export const linkStatusSchema = z.object({
  state: z.enum(['up', 'dialling', 'down']),
  since: z.iso.datetime(),
  /** Why it is down, or up without carrying logs. */
  trouble: troubleSchema.nullable(),
  heartbeatSecondsAgo: seconds.nullable(),
  roundTripMs: seconds.nullable(),
  /** How far the peer's clock is ahead. */
  clockOffsetMs: z.number().nullable(),
  protocol: z.int().nullable(),
  software: z.string().nullable(),
});
export type LinkStatus = z.infer<typeof linkStatusSchema>;

export const alarmSchema = z.object({
  code: z.string(),
  subject: z.string(),
  detail: z.string(),
  action: z.string(),
  raisedAt: z.iso.datetime(),
});

export const statusSchema = z.object({
  site: siteNameSchema,
  software: z.string(),
  at: z.iso.datetime(),
  health: z.enum(Health),
  peers: z.array(
    z.object({ name: siteNameSchema, link: linkStatusSchema, directions: z.array(directionSchema) }),
  ),
  /** Open alarms; null while the shared database does not answer. */
  alarms: z.array(alarmSchema).nullable(),
  /** What is configured or measured and should not stay so, as sentences. */
  warnings: z.array(z.string()),
});
export type Status = z.infer<typeof statusSchema>;
