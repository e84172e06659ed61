import { z } from 'zod';
import { siteNameSchema } from '../names.ts';
import { notMineSchema, senderSchema } from './common.ts';

/** Is the sender a configured third-party site? What home's processor alone can say. */
export const neighbourFactsSchema = z.strictObject({ kind: z.literal('neighbour'), ...senderSchema.shape });

/** It is the one of this name. */
export const neighbourSchema = z.strictObject({ kind: z.literal('neighbour'), name: siteNameSchema });

export const neighbourDecisionSchema = z.discriminatedUnion('kind', [notMineSchema, neighbourSchema]);
export type NeighbourDecision = z.infer<typeof neighbourDecisionSchema>;
