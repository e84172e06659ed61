import { z } from 'zod';

/** What a field holds, and with it how it is stored: text, integer, boolean, jsonb. */
export type FieldType = 'text' | 'integer' | 'boolean' | 'list';

export type FieldValue = string | number | boolean | readonly string[] | null;

/** One field of a kind: its values, its column, and the sentence that explains it in help and OpenAPI. */
export type Field<T extends FieldValue = FieldValue> = {
  readonly type: FieldType;
  /** Values a caller may give; null where the field may be left out. */
  readonly schema: z.ZodType<T>;
  readonly nullable: boolean;
  /** Sealed by the api before it enters a table, an event or a snapshot. */
  readonly secret: boolean;
  readonly description: string;
};

/** Text without control characters; never empty, because "no value" is null. */
export const plainText = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, 'no control characters');

function field<T extends FieldValue>(
  type: FieldType,
  schema: z.ZodType<T>,
  description: string,
  { nullable = false, secret = false } = {},
): Field<T> {
  return { type, schema: schema.describe(description), nullable, secret, description };
}

const orNull = <T extends FieldValue>(schema: z.ZodType<T>): z.ZodType<T | null> =>
  schema.nullable().default(null);

export const text = (schema: z.ZodType<string>, description: string): Field<string> =>
  field('text', schema, description);

export const optionalText = (schema: z.ZodType<string>, description: string): Field<string | null> =>
  field('text', orNull(schema), description, { nullable: true });

export const optionalSecret = (schema: z.ZodType<string>, description: string): Field<string | null> =>
  field('text', orNull(schema), description, { nullable: true, secret: true });

export const integer = (schema: z.ZodType<number>, description: string): Field<number> =>
  field('integer', schema, description);

export const optionalInteger = (schema: z.ZodType<number>, description: string): Field<number | null> =>
  field('integer', orNull(schema), description, { nullable: true });

export const flag = (fallback: boolean, description: string): Field<boolean> =>
  field('boolean', z.boolean().default(fallback), description);

/** An ordered list of at most `max` texts; empty unless given. */
export const list = (item: z.ZodType<string>, max: number, description: string): Field<readonly string[]> =>
  field('list', z.array(item).max(max).default([]), description);
