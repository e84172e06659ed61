import type { FieldType, FieldValue } from '../../model/field.ts';
import type { Kind } from '../../model/kind.ts';

const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['t', true],
  ['1', true],
  ['false', false],
  ['f', false],
  ['0', false],
]);

/**
 * The value that a cell of CSV stands for; items of a list are separated by spaces. An empty cell is no value, and
 * empties the field where rows are merged. What is not of the field's type stays text, for the field to refuse.
 */
export function cellValue(kind: Kind, name: string, text: string, merging: boolean): unknown {
  const field = kind.fields[name];
  if (text !== '') return parsed(field?.type ?? 'text', text);
  if (!merging) return undefined;
  return field?.type === 'list' ? [] : null;
}

function parsed(type: FieldType, text: string): unknown {
  if (type === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return truths.get(text.toLowerCase()) ?? text;
  return type === 'list' ? text.split(' ').filter((item) => item !== '') : text;
}

/** The cell that stands for a value. */
export function cellText(value: FieldValue): string {
  if (value === null) return '';
  return typeof value === 'object' ? value.join(' ') : String(value);
}
