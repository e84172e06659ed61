import { z } from 'zod';
import { siteConfigSchema } from './schema.ts';

/** One key of site.yaml as people read about it. */
export type ConfigKey = {
  readonly name: string;
  readonly description: string;
  /** What holds where the key is left out; undefined where it may not be, or where that has keys of its own. */
  readonly fallback: string | undefined;
  readonly required: boolean;
  /** Keys below it; of a list, those of each entry. */
  readonly keys: readonly ConfigKey[];
  readonly list: boolean;
};

/** Every key of site.yaml in its order. */
export const configKeys: readonly ConfigKey[] = keysOf(siteConfigSchema);

function keysOf(schema: z.ZodObject): readonly ConfigKey[] {
  return Object.entries(schema.shape).map(([name, field]): ConfigKey => {
    const { inner, fallback } = unwrap(field as z.ZodType);
    const entry = inner instanceof z.ZodArray ? inner.element : inner;
    return {
      name,
      description: (field as z.ZodType).description ?? '',
      fallback: typeof fallback === 'object' || fallback === undefined ? undefined : `${fallback}`,
      required: !(field as z.ZodType).safeParse(undefined).success,
      keys: entry instanceof z.ZodObject ? keysOf(entry) : [],
      list: inner instanceof z.ZodArray,
    };
  });
}

type Fallback = string | number | boolean | object | undefined;

function unwrap(schema: z.ZodType): { readonly inner: z.ZodType; readonly fallback: Fallback } {
  if (schema instanceof z.ZodOptional) return unwrap(schema.def.innerType as z.ZodType);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return { inner: schema.def.innerType as z.ZodType, fallback: schema.def.defaultValue as Fallback };
  }
  return { inner: schema, fallback: undefined };
}
