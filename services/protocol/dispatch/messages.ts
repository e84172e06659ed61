import { z } from 'zod';
import { siteNameSchema } from '../names.ts';
import { admittedSchema, foundSchema, locateFactsSchema, originateFactsSchema } from './call.ts';
import { challengeSchema, notMineSchema, refusedSchema } from './common.ts';
import { neighbourFactsSchema, neighbourSchema } from './neighbour.ts';
import { grantedSchema, registerFactsSchema } from './register.ts';

/**
 * Version of what front and processor say to each other over the Unix socket on which a processor listens: one JSON
 * object a line, UTF-8, at most `lineBytesMax` bytes. Both are of one installation, so one version is spoken at a time.
 *
 * History: 1 - register. 2 - originate, locate. 3 - neighbour.
 */
export const dispatchVersion = 3;

export const lineBytesMax = 262_144;

/** What the front asks. Requests of a connection may be answered in any order. */
export const factsSchema = z.discriminatedUnion('kind', [
  registerFactsSchema,
  originateFactsSchema,
  locateFactsSchema,
  neighbourFactsSchema,
]);
export type Facts = z.infer<typeof factsSchema>;

export const questionSchema = z.strictObject({ id: z.int().nonnegative(), facts: factsSchema });

/** What a processor says: who it is, once, as its first line; how it is, on each change; and its answers. */
export const helloSchema = z.strictObject({
  kind: z.literal('hello'),
  version: z.int().positive(),
  /** The site whose subscribers it serves: this one at home, the peer's at a standby. */
  owner: siteNameSchema,
  role: z.enum(['home', 'standby']),
});
export const processorStateSchema = z.strictObject({
  kind: z.literal('state'),
  /** Whether it serves; else `reason` is the code of a registered error. */
  serving: z.boolean(),
  reason: z.string().nullable(),
  /** Position of the configuration its answers rest on: what was learned from answers before is void. */
  configuration: z.strictObject({ incarnation: z.string(), seq: z.int().nonnegative() }).nullable(),
});
export type ProcessorState = z.infer<typeof processorStateSchema>;

/** What a processor decided; which decisions a question can have stands beside its facts. */
export const decisionSchema = z.discriminatedUnion('kind', [
  notMineSchema,
  challengeSchema,
  refusedSchema,
  grantedSchema,
  admittedSchema,
  foundSchema,
  neighbourSchema,
]);
export type Decision = z.infer<typeof decisionSchema>;

export const answerSchema = z.strictObject({
  kind: z.literal('answer'),
  id: z.int().nonnegative(),
  decision: decisionSchema,
});
export const processorMessageSchema = z.discriminatedUnion('kind', [
  helloSchema,
  processorStateSchema,
  answerSchema,
]);
export type ProcessorMessage = z.infer<typeof processorMessageSchema>;
