import { z } from 'zod';
import { DualhomeError, messageOf } from '../protocol/errors/index.ts';
import type { Field, FieldValue } from '../model/field.ts';
import type { Kind } from '../model/kind.ts';
import type { Row } from '../model/table.ts';

/**
 * The row that `name=value` arguments (or JSON) describe, checked against its kind before it is sent.
 *
 * @throws CLI_USAGE naming every field that is wrong
 */
export function parseFields(kind: Kind, fields: readonly string[], json: string | undefined): Row {
  const given =
    json === undefined ? Object.fromEntries(fields.map((text) => parseField(kind, text))) : parseRow(json);
  const parsed = kind.schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new DualhomeError('CLI_USAGE', { detail: `${kind.title}:\n${z.prettifyError(parsed.error)}` });
}

function parseField(kind: Kind, text: string): [string, FieldValue] {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const field = kind.fields[name];
  if (at < 0 || !field) {
    const known = Object.keys(kind.fields).join(', ');
    throw new DualhomeError('CLI_USAGE', {
      detail: `"${text}": expected name=value, the name one of ${known}.`,
    });
  }
  return [name, valueOf(field, text.slice(at + 1))];
}

/** What is not of its type stays text, for the schema to name what it wants. */
function valueOf({ type, nullable }: Field, text: string): FieldValue {
  if (type === 'list') return text.split(' ').filter((item) => item !== '');
  if (text === '' && nullable) return null;
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return type === 'integer' && /^-?[0-9]+$/.test(text) ? Number(text) : text;
}

function parseRow(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new DualhomeError('CLI_USAGE', { detail: `--row: ${messageOf(cause)}`, cause });
  }
}
