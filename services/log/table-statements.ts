import type { FieldType, FieldValue } from '../model/field.ts';
import type { Row, Table } from '../model/table.ts';
import type { Statement } from '../platform/postgres/statement.ts';
import { int8Array, textArray } from '../platform/postgres/binary-array.ts';

const castOf: Record<FieldType, string> = {
  text: '',
  integer: '::bigint',
  boolean: '::boolean',
  list: '::jsonb',
};

type UpsertText = { readonly name: string; readonly text: string };

const upsertTexts = new WeakMap<Table, UpsertText>();

/** Inserts or replaces rows, one text array a column; a key may occur once. */
export function upsertStatement(
  table: Table,
  upserts: readonly { readonly row: Row; readonly seq: number }[],
): Statement {
  const { name, text } = upsertTexts.get(table) ?? rememberUpsertText(table);
  const columns = table.columns.map((column) =>
    textArray(upserts.map(({ row }) => storedText(row[column.name]))),
  );
  return { name, text, values: [...columns, int8Array(upserts.map(({ seq }) => seq))] };
}

/** Deletes the rows with these keys. */
export function deleteStatement(table: Table, keys: readonly string[]): Statement {
  return {
    name: `${table.name}.delete`,
    text: `delete from ${table.name} where ${table.key} = any($1::text[])`,
    values: [textArray(keys)],
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

function rememberUpsertText(table: Table): UpsertText {
  const names = table.columns.map(({ name }) => name);
  const arrays = names.map((_, i) => `$${i + 1}::text[]`);
  const selected = table.columns.map(({ name, type }) => `c.${name}${castOf[type]}`);
  const replaced = [...names.filter((name) => name !== table.key), 'seq'].map(
    (name) => `${name} = excluded.${name}`,
  );
  const upsert = {
    name: `${table.name}.upsert`,
    text: `insert into ${table.name} (${names.join(', ')}, seq)
           select ${selected.join(', ')}, c.seq
           from unnest(${arrays.join(', ')}, $${names.length + 1}::bigint[]) as c (${names.join(', ')}, seq)
           on conflict (${table.key}) do update set ${replaced.join(', ')}`,
  };
  upsertTexts.set(table, upsert);
  return upsert;
}
