import { z } from 'zod';
import { siteNameSchema } from '../names.ts';
import {
  challengeSchema,
  credentialsSchema,
  notMineSchema,
  partySchema,
  refusedSchema,
  senderSchema,
} from './common.ts';

/**
 * A call is dispatched twice: `originate` asks the caller's processor whether he is who he says and where the number
 * leads, `locate` asks the callee's processor who that is and what he wants done with his calls. Every request that
 * opens a dialog, and every one outside of dialogs, goes this way, whatever its method.
 */

/** The number or name as it was dialled: a user part or a telephone number, and the host it was dialled at. */
export const dialledSchema = z.strictObject({
  user: z.string().max(256),
  /** Of a `tel` URI without context: null. */
  host: z.string().max(260).nullable(),
  /** The host is an address of this front, whether or not it is an alias of a domain. */
  isHere: z.boolean(),
});
export type Dialled = z.infer<typeof dialledSchema>;

/** Whom a call leads to: by name or short number in a domain, by E.164 number, or either. */
export const calleeSchema = z.strictObject({
  /** `user@domain`, the domain in its own name where the asked processor knows it. */
  address: z.string().max(600).nullable(),
  number: z.string().max(32).nullable(),
});
export type Callee = z.infer<typeof calleeSchema>;

/** Next hops outside the pair, in the order in which they are tried. */
export const outwardRouteSchema = z.strictObject({
  prefix: z.string(),
  class: z.string(),
  nextHops: z.array(z.strictObject({ uri: z.string(), probe: z.boolean() })).max(8),
});
export type OutwardRoute = z.infer<typeof outwardRouteSchema>;

/**
 * Where a dialled number leads in the dialler's own configuration. `callee` comes first; only where no processor knows
 * it the call leaves by `route`, or is refused with `refusal`.
 */
export const destinationSchema = z.strictObject({
  callee: calleeSchema,
  route: outwardRouteSchema.nullable(),
  /** What the caller is told where nobody is found: 404, or 403 where a route exists that he may not use. */
  refusal: refusedSchema,
  /** An emergency number: no limit, gate or class applies. */
  isEmergency: z.boolean(),
});
export type Destination = z.infer<typeof destinationSchema>;

/** How the decision came about, in words, for `dualhome dispatch explain`. */
const stepsSchema = z.array(z.string().max(400)).max(16);

export const originateFactsSchema = z.strictObject({
  kind: z.literal('originate'),
  method: z.string().max(32),
  /** From as written; its host may be an alias of the domain. */
  from: partySchema,
  /** P-Asserted-Identity and P-Preferred-Identity, where they are SIP or tel addresses. */
  asserted: z.array(dialledSchema).max(4),
  called: dialledSchema,
  credentials: credentialsSchema.nullable(),
  ...senderSchema.shape,
  /** An operator asks what would happen: nobody has to prove who he is. */
  isRehearsal: z.boolean(),
});
export type OriginateFacts = z.infer<typeof originateFactsSchema>;

/** Who calls: a subscriber who proved it, or a configured third-party site. */
export const callerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('subscriber'),
    aor: z.string().max(320),
    displayName: z.string().max(128).nullable(),
  }),
  z.strictObject({ kind: z.literal('third-party'), name: siteNameSchema }),
]);
export type Caller = z.infer<typeof callerSchema>;

/** He may call; where to, is in `destination`. */
export const admittedSchema = z.strictObject({
  kind: z.literal('admitted'),
  owner: siteNameSchema,
  caller: callerSchema,
  destination: destinationSchema,
  steps: stepsSchema,
});
export type Admitted = z.infer<typeof admittedSchema>;

export const originateDecisionSchema = z.discriminatedUnion('kind', [
  notMineSchema,
  challengeSchema,
  refusedSchema,
  admittedSchema,
]);
export type OriginateDecision = z.infer<typeof originateDecisionSchema>;

export const locateFactsSchema = z.strictObject({ kind: z.literal('locate'), callee: calleeSchema });
export type LocateFacts = z.infer<typeof locateFactsSchema>;

/** A subscriber of this processor, and where his calls go on, with his class of service and his area's numbers. */
export const foundSchema = z.strictObject({
  kind: z.literal('found'),
  owner: siteNameSchema,
  aor: z.string().max(320),
  displayName: z.string().max(128).nullable(),
  homeSite: siteNameSchema,
  backupSite: siteNameSchema.nullable(),
  forwarding: z.strictObject({
    always: destinationSchema.nullable(),
    busy: destinationSchema.nullable(),
    noAnswer: destinationSchema.nullable(),
    noAnswerSeconds: z.int().positive(),
    unreachable: destinationSchema.nullable(),
  }),
  steps: stepsSchema,
});
export type Found = z.infer<typeof foundSchema>;

export const locateDecisionSchema = z.discriminatedUnion('kind', [notMineSchema, refusedSchema, foundSchema]);
export type LocateDecision = z.infer<typeof locateDecisionSchema>;
