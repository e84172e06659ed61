import { readCsvRecords } from '../../platform/csv/records.ts';
import type { Kind } from '../../model/kind.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { cellValue } from './csv-values.ts';
import { kamailioColumns } from './kamailio.ts';

export type NumberedText = { readonly number: number; readonly text: string };

/** Values by the names of their fields. */
export type Values = Readonly<Record<string, unknown>>;

/** The values of a line, or why it has none. */
export type Decoded = { readonly values: Values } | { readonly fault: string };

/** Reads lines as values. */
export type Decoder = (lines: readonly NumberedText[]) => readonly Decoded[];

export type CsvFormat = {
  readonly kind: Kind;
  readonly kamailio: boolean;
  readonly merging: boolean;
};

/** A decoder of CSV whose columns `header` names. @throws CONFIG_INVALID for a column that does not exist or is missing */
export function csvDecoder(header: string, { kind, kamailio, merging }: CsvFormat): Decoder {
  const [record = []] = readCsvRecords([header.replace(/^\u{FEFF}/u, '')]);
  if ('fault' in record) throw badHeader([record.fault]);
  const columns = record.map((name) => name.trim());
  const known = kamailio ? columns : Object.keys(kind.fields);
  const needed = kamailio ? kamailioColumns : [kind.key];
  const faults = [
    ...columns.filter((name) => !known.includes(name)).map((name) => `there is no field "${name}"`),
    ...columns.filter((name, i) => columns.indexOf(name) !== i).map((name) => `"${name}" stands there twice`),
    ...needed.filter((name) => !columns.includes(name)).map((name) => `the column "${name}" is missing`),
  ];
  if (faults.length > 0) throw badHeader(faults);
  const valueOf = (name: string, text: string): unknown =>
    kamailio ? text : cellValue(kind, name, text, merging);
  return (lines) =>
    readCsvRecords(lines.map(({ text }) => text)).map((cells) => decodeCells(columns, cells, valueOf));
}

function decodeCells(
  columns: readonly string[],
  cells: readonly string[] | { readonly fault: string },
  valueOf: (name: string, text: string) => unknown,
): Decoded {
  if ('fault' in cells) return { fault: cells.fault };
  if (cells.length !== columns.length) {
    return { fault: `${cells.length} fields, but the header names ${columns.length}` };
  }
  const values: Record<string, unknown> = {};
  for (const [i, name] of columns.entries()) {
    const value = valueOf(name, cells[i] ?? '');
    if (value !== undefined) values[name] = value;
  }
  return { values };
}

function badHeader(faults: readonly string[]): DualhomeError {
  const errors = faults.map((message) => ({ where: 'line 1', path: '', message }));
  return new DualhomeError('CONFIG_INVALID', {
    detail: 'The header does not name the fields.',
    facts: { errors },
  });
}

/** Reads a JSON object from each line. */
export const ndjsonDecoder: Decoder = (lines) => lines.map(({ text }) => decodeObject(text));

function decodeObject(text: string): Decoded {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { values: value as Values };
    }
    return { fault: 'not a JSON object' };
  } catch {
    return { fault: 'not JSON' };
  }
}
