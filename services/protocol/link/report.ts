import { z } from 'zod';
import { LogName } from '../names.ts';
import { positionSchema } from './position-json.ts';

/** What the lane that applies a log is doing. */
export const LaneState = {
  /** It has not read its database yet. */
  starting: 'starting',
  /** The link is down. */
  unlinked: 'unlinked',
  /** It has asked for what follows its position. */
  resuming: 'resuming',
  /** It applies what comes. */
  applying: 'applying',
  /** It is held while a snapshot is swapped in or a comparison begins. */
  held: 'held',
  /** Its database, or the peer's, cannot be used now; it tries again by itself. */
  waiting: 'waiting',
  /** It goes on only when its cause is gone; see the code. */
  parked: 'parked',
} as const;
export type LaneState = (typeof LaneState)[keyof typeof LaneState];

const seqSchema = z.int().nonnegative();
const log = z.enum(LogName);

/** What a site knows, first-hand, of a log of its own that goes to the peer. */
export const sendReportSchema = z.object({
  log,
  /** Null while the log cannot be read. */
  head: positionSchema.nullable(),
  /** The oldest event held; null in an empty log. */
  firstSeq: seqSchema.nullable(),
  /** The last event handed to the connection; null before the peer resumed. */
  sent: seqSchema.nullable(),
  /** The last event the peer has confirmed as applied; null before it resumed. */
  confirmed: seqSchema.nullable(),
  /** About how many bytes of events were not sent yet. */
  bytesUnsent: z.number().nonnegative(),
  /** Age of the oldest event the peer has not confirmed as applied; null where there is none. */
  oldestUnappliedMs: z.number().nonnegative().nullable(),
});
export type SendReport = z.infer<typeof sendReportSchema>;

/** The last comparison of a standby with its home at the same seq. */
export const proofSchema = z.object({
  seq: seqSchema,
  equal: z.boolean(),
  rows: z.int().nonnegative(),
  provenAt: z.iso.datetime(),
});
export type Proof = z.infer<typeof proofSchema>;

/** What a site knows, first-hand, of its copy of a log of the peer. */
export const holdReportSchema = z.object({
  log,
  state: z.enum(LaneState),
  /** Why it waits or is parked: a code of the error registry. */
  code: z.string().max(64).nullable(),
  detail: z.string().max(2048),
  /** Null before the database was read. */
  applied: positionSchema.nullable(),
  /** The last event in memory. */
  received: seqSchema.nullable(),
  /** Since it first knew of the oldest event it has not applied; null where there is none. */
  behindMs: z.number().nonnegative().nullable(),
  /** Null before the first comparison. */
  proof: proofSchema.nullable(),
});
export type HoldReport = z.infer<typeof holdReportSchema>;

/** What each site tells the other in every heartbeat, so that both show the same. */
export const reportSchema = z.object({
  sends: z.array(sendReportSchema).max(8),
  holds: z.array(holdReportSchema).max(8),
});
export type Report = z.infer<typeof reportSchema>;
