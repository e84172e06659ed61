import { z } from 'zod';

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** JSON text checked against a schema; empty text is `undefined`. */
export function parseJson<T>(text: string, schema: z.ZodType<T>): Parsed<T> {
  let json: unknown;
  try {
    json = text === '' ? undefined : JSON.parse(text);
  } catch {
    return { ok: false, reason: 'not JSON' };
  }
  const { success, data, error } = schema.safeParse(json);
  return success ? { ok: true, value: data } : { ok: false, reason: z.prettifyError(error) };
}
