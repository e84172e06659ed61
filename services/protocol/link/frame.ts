import { z } from 'zod';
import { LogName, siteNameSchema } from '../names.ts';
import { positionSchema } from './position-json.ts';
import { reportSchema } from './report.ts';

/** Type byte of each frame. A number is never used for anything else again. */
export const FrameType = {
  hello: 1,
  heartbeat: 2,
  bye: 3,
  resume: 4,
  resumed: 5,
  events: 6,
  ack: 7,
  request: 8,
  response: 9,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

const logSchema = z.enum(LogName);
const seqSchema = z.int().nonnegative();

/** A moment by the sender's clocks: the wall clock tells the offset, the monotonic one the round trip. */
export const momentSchema = z.object({ wallMs: z.number(), monotonicMs: z.number() });
export type Moment = z.infer<typeof momentSchema>;

/** The first frame each way: who speaks, to whom, and in which versions. */
const helloSchema = z.object({
  protocol: z.object({ min: z.int(), max: z.int() }),
  site: siteNameSchema,
  peer: siteNameSchema,
  software: z.string().max(64),
  report: reportSchema,
});

/**
 * Once a second, and at once when what it reports has changed in kind. `echo` is the peer's last
 * heartbeat: when it was sent by the peer's clocks, and when it arrived by the sender's.
 */
const heartbeatSchema = z.object({
  sent: momentSchema,
  echo: z.object({ sent: momentSchema, received: momentSchema }).nullable(),
  report: reportSchema,
});

/** The last frame of a connection that is closed on purpose: a code of the error registry, and why. */
const byeSchema = z.object({ code: z.string().max(64), detail: z.string().max(2048) });

/**
 * The receiver asks for what follows `position` and lets the sender send `credit` bytes of EVENTS;
 * `attempt` tells the answer to this question from the answer to an older one.
 */
const resumeSchema = z.strictObject({
  log: logSchema,
  attempt: z.int(),
  position: positionSchema,
  credit: z.int().positive(),
});

/** How a receiver's position stands to the sender's log. */
export const ResumeOutcome = {
  /** It is a point of this history: the events after it follow. */
  ok: 'ok',
  /** It may be one, but the events after it are no longer held. */
  snapshotNeeded: 'snapshot-needed',
  /** It lies beyond this log, or in an incarnation this log does not know. */
  restored: 'restored',
  /** This log has gone on from before it in another incarnation. */
  replaced: 'replaced',
  /** Same incarnation and seq, another hash. */
  forked: 'forked',
  /** This log does not go to that peer. */
  notSent: 'not-sent',
  /** The sender cannot read its log now; another answer follows. */
  unavailable: 'unavailable',
} as const;
export type ResumeOutcome = (typeof ResumeOutcome)[keyof typeof ResumeOutcome];

/** The answer to RESUME. A later one to the same attempt ends what an `ok` began. */
const resumedSchema = z.strictObject({
  log: logSchema,
  attempt: z.int(),
  outcome: z.enum(ResumeOutcome),
  detail: z.string().max(2048),
});

/**
 * What the receiver holds: `received` in memory, `applied` committed to its database. It lets the
 * sender send `credit` bytes of EVENTS more.
 */
const ackSchema = z.strictObject({
  log: logSchema,
  received: seqSchema,
  applied: seqSchema,
  credit: z.int().nonnegative(),
});

const requestSchema = z.strictObject({ id: z.int(), method: z.string().max(128), params: z.unknown() });

const responseSchema = z.strictObject({
  id: z.int(),
  outcome: z.discriminatedUnion('ok', [
    z.strictObject({ ok: z.literal(true), result: z.unknown() }),
    z.strictObject({
      ok: z.literal(false),
      code: z.string(),
      detail: z.string(),
      facts: z.record(z.string(), z.unknown()),
    }),
  ]),
});

/** Frames whose payload is JSON, by their names. EVENTS is binary: events-frame.ts. */
export const controlSchemas = {
  hello: helloSchema,
  heartbeat: heartbeatSchema,
  bye: byeSchema,
  resume: resumeSchema,
  resumed: resumedSchema,
  ack: ackSchema,
  request: requestSchema,
  response: responseSchema,
} as const;

export type Hello = z.infer<typeof helloSchema>;
export type Heartbeat = z.infer<typeof heartbeatSchema>;
export type Bye = z.infer<typeof byeSchema>;
export type Resume = z.infer<typeof resumeSchema>;
export type Resumed = z.infer<typeof resumedSchema>;
export type Ack = z.infer<typeof ackSchema>;
export type Request = z.infer<typeof requestSchema>;
export type Response = z.infer<typeof responseSchema>;
