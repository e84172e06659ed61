import type { FieldType, FieldValue } from '../model/field.ts';
import type { Table, TableChange } from '../model/table.ts';
import type { Part } from '../platform/postgres/composed-statement.ts';
import { int8Array, textArray } from '../platform/postgres/binary-array.ts';

const castOf: Record<FieldType, string> = {
  text: '',
  integer: '::bigint',
  boolean: '::boolean',
  list: '::jsonb',
};

/** What brings a table to the rows of a change: those it leaves, then those it removes. */
export function changeParts({ table, upserts, deletes }: TableChange): readonly Part[] {
  return [
    ...(upserts.length > 0 ? [upsertPart(table, upserts)] : []),
    ...(deletes.length > 0 ? [deletePart(table, deletes)] : []),
  ];
}

/** Inserts or replaces rows, one text array a column; a key may occur once. */
function upsertPart(table: Table, upserts: TableChange['upserts']): Part {
  const columns = table.columns.map((column) =>
    textArray(upserts.map(({ row }) => storedText(row[column.name]))),
  );
  return {
    name: `${table.name}_upsert`,
    values: [...columns, int8Array(upserts.map(({ seq }) => seq))],
    text: (parameter) => upsertText(table, parameter),
  };
}

/** Deletes the rows with these keys. */
function deletePart(table: Table, keys: readonly string[]): Part {
  return {
    name: `${table.name}_delete`,
    values: [textArray(keys)],
    text: (parameter) => `delete from ${table.name} where ${table.key} = any(${parameter(1)}::text[])`,
  };
}

/** The text PostgreSQL reads a value from: JSON for lists, null for none. */
export function storedText(value: FieldValue | undefined): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string'
    ? value
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
}

function upsertText(table: Table, parameter: (n: number) => string): string {
  const names = table.columns.map(({ name }) => name);
  const arrays = names.map((_, i) => `${parameter(i + 1)}::text[]`);
  const selected = table.columns.map(({ name, type }) => `c.${name}${castOf[type]}`);
  const replaced = [...names.filter((name) => name !== table.key), 'seq'].map(
    (name) => `${name} = excluded.${name}`,
  );
  return `insert into ${table.name} (${names.join(', ')}, seq)
          select ${selected.join(', ')}, c.seq
          from unnest(${arrays.join(', ')}, ${parameter(names.length + 1)}::bigint[]) as c (${names.join(', ')}, seq)
          on conflict (${table.key}) do update set ${replaced.join(', ')}`;
}
