import { z } from 'zod';
import { incarnationSchema } from '../event.ts';
import type { Position } from '../position.ts';

/** A position as JSON carries it: the hash in hex. */
export const positionSchema = z.object({
  incarnation: incarnationSchema,
  seq: z.int().nonnegative(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type PositionJson = z.infer<typeof positionSchema>;

export const positionToJson = ({ incarnation, seq, hash }: Position): PositionJson => ({
  incarnation,
  seq,
  hash: hash.toString('hex'),
});

export const positionFromJson = ({ incarnation, seq, hash }: PositionJson): Position => ({
  incarnation,
  seq,
  hash: Buffer.from(hash, 'hex'),
});
