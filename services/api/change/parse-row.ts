import type { z } from 'zod';
import type { Kind } from '../../model/kind.ts';
import type { Row } from '../../model/table.ts';
import type { FieldError } from '../../protocol/errors/problem.ts';
import { sealedMark } from '../../protocol/rest/config.ts';
import { secretFieldsOf } from './secrets.ts';

/** A checked row, or part of one; `kept` names the secrets that stay as they are. */
export type ParsedRow =
  { readonly fields: Row; readonly kept: readonly string[] } | { readonly errors: readonly FieldError[] };

/** The fields given, with the defaults of the others. Lists every fault. */
export function parseWholeRow(
  kind: Kind,
  given: Readonly<Record<string, unknown>>,
  where: string,
): ParsedRow {
  const kept = keptSecrets(kind, given);
  const parsed = kind.schema.safeParse(kept.length > 0 ? without(given, kept) : given);
  const errors = parsed.success ? malformed(parsed.data, where) : faultsOf(parsed.error, where);
  return errors.length > 0 || !parsed.success ? { errors } : { fields: parsed.data, kept };
}

/** Only the fields given. Lists every fault. */
export function parsePartOfRow(
  kind: Kind,
  given: Readonly<Record<string, unknown>>,
  where: string,
): ParsedRow {
  const kept = keptSecrets(kind, given);
  const fields: Record<string, Row[string]> = {};
  const errors: FieldError[] = [];
  for (const [name, value] of Object.entries(without(given, kept))) {
    const field = Object.hasOwn(kind.fields, name) ? kind.fields[name] : undefined;
    if (!field) {
      errors.push(unknownField(name, where));
      continue;
    }
    const parsed = field.schema.safeParse(value);
    if (parsed.success) fields[name] = parsed.data;
    else errors.push(...faultsOf(parsed.error, where, [name]));
  }
  errors.push(...malformed(fields, where));
  return errors.length > 0 ? { errors } : { fields, kept };
}

function keptSecrets(kind: Kind, given: Readonly<Record<string, unknown>>): readonly string[] {
  return secretFieldsOf(kind).filter((name) => given[name] === sealedMark);
}

function without(
  given: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  if (names.length === 0) return given;
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)));
}

/** zod's issues as one fault for each field, by JSON Pointer. */
export function faultsOf(
  error: z.ZodError,
  where: string,
  parents: readonly PropertyKey[] = [],
): readonly FieldError[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((name) => unknownField(name, where))
      : [{ where, path: pointer([...parents, ...issue.path]), message: issue.message }],
  );
}

function unknownField(name: string, where: string): FieldError {
  return { where, path: pointer([name]), message: 'there is no such field' };
}

const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** Whether PostgreSQL and UTF-8 can hold a text: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

function malformed(row: Row, where: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, value] of Object.entries(row)) {
    const texts = typeof value === 'string' ? [value] : Array.isArray(value) ? (value as string[]) : [];
    if (!texts.every(isStorable)) {
      errors.push({ where, path: pointer([name]), message: 'text that is not well-formed' });
    }
  }
  return errors;
}
