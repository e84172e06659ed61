import { z } from 'zod';
import { siteNameSchema } from '../names.ts';

/** A processor of this site, as its front sees it. */
const processorSchema = z.object({
  /** The site whose subscribers it decides about. */
  owner: siteNameSchema,
  role: z.enum(['home', 'standby']),
  serving: z.boolean(),
  /** Code of a registered error where it says why it does not serve. */
  reason: z.string().nullable(),
});
export type ProcessorView = z.infer<typeof processorSchema>;

const ruleSchema = z.object({
  name: z.string(),
  matches: z.string(),
  processor: z.string(),
  /** `pin` or `drain`; see the kind `dispatch_rule`. */
  action: z.string(),
});

/** The dispatch table in effect: processors in the order in which they are asked, and the operator's rules. */
export const dispatchTableSchema = z.object({
  processors: z.array(processorSchema),
  rules: z.array(ruleSchema),
  /** Event of the configuration log that the rules are as of. */
  rulesSeq: z.int().nonnegative(),
});
export type DispatchTable = z.infer<typeof dispatchTableSchema>;

export const dispatchExplainQuerySchema = z.object({
  aor: z
    .string()
    .max(600)
    .regex(/^[^\s@]+@[^\s@]+$/, 'user@domain'),
});

/** Which processor decides about an address, and why. */
export const dispatchExplanationSchema = z.object({
  aor: z.string(),
  /** A rule pins it; it has flows recorded with their owner; its processor was learned by asking; all are asked in order. */
  basis: z.enum(['rule', 'flows', 'cache', 'order']),
  /** The rule that pins it. */
  rule: ruleSchema.nullable(),
  /** Who is asked, first to last. */
  asked: z.array(processorSchema),
  /** The processor that says it is one of its subscribers; null where none does. */
  decidedBy: siteNameSchema.nullable(),
  /** The rule that sends its devices to their other site. */
  drainedBy: ruleSchema.nullable(),
});
export type DispatchExplanation = z.infer<typeof dispatchExplanationSchema>;
