import type { Kind } from '../../model/kind.ts';
import type { Row } from '../../model/table.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';

/** A stored row; `row` holds its `seq`, too. */
export type StoredRow = { readonly key: string; readonly seq: number; readonly row: Row };

/** Which keys of a kind: from `from` up to but without `to`, beginning with `prefix`, behind `after`. */
export type KeyRange = {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly prefix?: string | undefined;
  readonly after?: string | undefined;
};

/** Sorts behind every key that begins with what stands before it. */
const last = '\u{10FFFF}';

export async function readRow(home: Queryable, kind: Kind, key: string): Promise<StoredRow | undefined> {
  const { rows } = await home.query<Row & { seq: number }>({
    name: `${kind.name}.row`,
    text: `${selectOf(kind)} where ${kind.key} = $1`,
    values: [key],
  });
  return rows[0] && storedRow(kind, rows[0]);
}

/** Rows in the order of their keys. */
export async function listRows(
  home: Queryable,
  kind: Kind,
  { from, to, prefix, after }: KeyRange,
  limit: number,
): Promise<readonly StoredRow[]> {
  const bounds: readonly (readonly [string, string | undefined])[] = [
    ['>=', from],
    ['<', to],
    ['>=', prefix],
    ['<', prefix === undefined ? undefined : `${prefix}${last}`],
    ['>', after],
  ];
  const given = bounds.filter(([, bound]) => bound !== undefined);
  const conditions = given.map(([operator], i) => `${kind.key} ${operator} $${i + 2}`);
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const { rows } = await home.query<Row & { seq: number }>(
    `${selectOf(kind)} ${where} order by ${kind.key} limit $1`,
    [limit, ...given.map(([, bound]) => bound)],
  );
  return rows.map((row) => storedRow(kind, row));
}

function selectOf({ table }: Kind): string {
  return `select ${table.columns.map(({ name }) => name).join(', ')}, seq from ${table.name}`;
}

function storedRow(kind: Kind, row: Row & { seq: number }): StoredRow {
  return { key: String(row[kind.key]), seq: row.seq, row };
}
