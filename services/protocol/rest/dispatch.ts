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

const aorSchema = z
  .string()
  .max(600)
  .regex(/^[^\s@]+@[^\s@]+$/, 'user@domain');

export const dispatchExplainQuerySchema = z.object({ aor: aorSchema });

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

export const callExplainQuerySchema = z.object({
  from: aorSchema,
  /** As it is dialled: a number, a name, an address or a URI. */
  called: z.string().min(1).max(600),
});
export type CallExplainQuery = z.infer<typeof callExplainQuerySchema>;

/** Since when a peer's flows are not known to be current; null while they are, and for this site's own. */
const unknownSinceSchema = z.iso.datetime().nullable();

/** Somewhere a call would be sent; `order` counts what is tried one after the other, from 1. */
const callTargetSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('device'),
    aor: z.string(),
    device: z.string(),
    contact: z.string(),
    /** Where it is registered; at a peer, the peer's front is the way to it. */
    site: siteNameSchema,
    order: z.int().positive(),
    unknownSince: unknownSinceSchema,
  }),
  /** A peer that is asked for whatever it knows of the callee. */
  z.object({
    kind: z.literal('peer'),
    site: siteNameSchema,
    order: z.int().positive(),
    unknownSince: unknownSinceSchema,
  }),
  z.object({
    kind: z.literal('next-hop'),
    uri: z.string(),
    /** Where the URI leads to, `udp:192.0.2.1:5060`. */
    server: z.string(),
    order: z.int().positive(),
  }),
]);
export type CallTarget = z.infer<typeof callTargetSchema>;

/** What would become of a call. */
export const callExplanationSchema = z.object({
  /** In words, in the order in which it is decided. */
  steps: z.array(z.string()),
  /** Whom it would be sent to first: devices all at once, bindings of one device and next hops one after the other. */
  targets: z.array(callTargetSchema),
  /** What the caller is told where it is sent to nobody. */
  refusal: z.object({ status: z.int(), reason: z.string() }).nullable(),
});
export type CallExplanation = z.infer<typeof callExplanationSchema>;
