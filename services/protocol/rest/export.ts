import { z } from 'zod';
import { configRangeQuerySchema } from './config.ts';

/** Rows of a kind at one point in time, as a stream that can be imported again; secrets show as a mark. */
export const exportQuerySchema = configRangeQuerySchema.extend({
  format: z.enum(['csv', 'ndjson']).default('ndjson'),
});
