import { z } from 'zod';

/** Keys from `from` up to but without `to`, by their bytes; an end that is null is open. */
export const keyRangeSchema = z.strictObject({
  from: z.string().max(512).nullable(),
  to: z.string().max(512).nullable(),
});
export type KeyRange = z.infer<typeof keyRangeSchema>;

/** Which part of a log's state is meant: everything, some kinds, or a range of keys of one kind. */
export const scopeSchema = z
  .strictObject({
    /** Names of kinds; null for everything. */
    kinds: z.array(z.string().max(64)).min(1).max(64).nullable(),
    keyRange: keyRangeSchema.nullable(),
  })
  .refine(({ kinds, keyRange }) => !keyRange || kinds?.length === 1, 'a key range belongs to one kind');
export type Scope = z.infer<typeof scopeSchema>;

export const wholeScope: Scope = { kinds: null, keyRange: null };

/** Whether `scope` is everything, so that a copy of it is a copy of the site. */
export function isWhole({ kinds }: Scope): boolean {
  return kinds === null;
}

/** A scope as a person reads it: `everything`, `subscriber, number`, `subscriber a..b`. */
export function describeScope({ kinds, keyRange }: Scope): string {
  if (!kinds) return 'everything';
  const range = keyRange ? ` ${keyRange.from ?? ''}..${keyRange.to ?? ''}` : '';
  return `${kinds.join(', ')}${range}`;
}
