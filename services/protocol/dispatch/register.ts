import { z } from 'zod';
import { siteNameSchema } from '../names.ts';
import {
  challengeSchema,
  credentialsSchema,
  notMineSchema,
  partySchema,
  refusedSchema,
  sourceSchema,
} from './common.ts';

/** A device asks to be found under an address of record, or no longer (RFC 3261 section 10). */
export const registerFactsSchema = z.strictObject({
  kind: z.literal('register'),
  /** The address of record as the device wrote it; its host may be an alias of the domain. */
  party: partySchema,
  credentials: credentialsSchema.nullable(),
  source: sourceSchema,
  /** The +sip.instance URN of its first contact, and that contact's host and port: what tells which access device it is. */
  instance: z.string().max(256).nullable(),
  contactHost: z.string().max(260).nullable(),
});
export type RegisterFacts = z.infer<typeof registerFactsSchema>;

/** It may: under this address of record, within these limits. Which bindings follow from it the front decides. */
export const grantedSchema = z.strictObject({
  kind: z.literal('granted'),
  aor: z.string().max(320),
  /** The site whose subscriber it is. */
  owner: siteNameSchema,
  /** Name of the configured access device it was recognised as. */
  device: z.string().max(128).nullable(),
  expiresSeconds: z.strictObject({
    min: z.int().positive(),
    max: z.int().positive(),
    default: z.int().positive(),
  }),
  /** Bindings of the address of record at this site, at most. */
  contactsMax: z.int().positive(),
});
export type Granted = z.infer<typeof grantedSchema>;

export const registerDecisionSchema = z.discriminatedUnion('kind', [
  notMineSchema,
  challengeSchema,
  refusedSchema,
  grantedSchema,
]);
export type RegisterDecision = z.infer<typeof registerDecisionSchema>;
