import { z } from 'zod';
import { siteNameSchema } from './names.ts';

/** Name of the file in the folder of call records that is written to. */
export const callRecordsFile = 'calls.jsonl';

/**
 * One attempt of a call as one site saw it: a line of JSON in the front's files. The records of one attempt at both
 * sites, and of its forwardings, have its Call-ID in common.
 */
export const callRecordSchema = z.strictObject({
  time: z.iso.datetime({ precision: 3 }),
  site: siteNameSchema,
  callId: z.string(),
  /** Address of record, or the third party or peer it came from. */
  caller: z.string(),
  /** As it was asked for. */
  dialled: z.string(),
  /** Addresses of record that were called, the forwarded-to ones after the first. */
  callees: z.array(z.string()),
  /** Whose processors decided: for the caller, and for each callee. */
  processors: z.strictObject({ caller: siteNameSchema.nullable(), callees: z.array(siteNameSchema) }),
  /** Where it was sent: `site c1`, or the URI of a next hop. */
  targets: z.array(z.string()),
  status: z.int(),
  reason: z.string().nullable(),
  /** Milliseconds from the request to the first ringing, and to the final response. */
  ringingMs: z.int().nullable(),
  finalMs: z.int(),
});
export type CallRecord = z.infer<typeof callRecordSchema>;
