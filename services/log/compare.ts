import type { Comparison, Difference, TableDigest } from '../protocol/digest.ts';
import type { KeyRange } from '../protocol/scope.ts';
import type { Table } from '../model/table.ts';
import type { Queryable } from '../platform/postgres/statement.ts';
import { bucketRows, digestTable } from './digest.ts';
import type { BucketRows, RowText } from './digest.ts';
import { columnsOf } from './tables.ts';

/** One side of a comparison: a database at a fixed position, here or behind the link. */
export type Side = {
  digest(table: Table, range: KeyRange | null): Promise<TableDigest>;
  rows(table: Table, wanted: BucketRows): Promise<readonly RowText[]>;
};

export type CompareOptions = {
  readonly ours: Side;
  readonly theirs: Side;
  readonly tables: readonly Table[];
  readonly range?: KeyRange | null | undefined;
  /** Rows named in the result; what is beyond is only counted by buckets. */
  readonly differencesMax: number;
  readonly signal?: AbortSignal | undefined;
};

const pageRows = 500;

/** The side that a session of ours is; it needs a REPEATABLE READ transaction and no statement timeout. */
export const sideOf = (session: Queryable): Side => ({
  digest: (table, range) => digestTable(session, table, range),
  rows: (table, wanted) => bucketRows(session, table, wanted),
});

/**
 * Compares both sides table by table: first the digests of buckets, then the rows of those that
 * differ. A row that differs lies, at each side that has it, in a bucket that differs there.
 */
export async function compareSides(options: CompareOptions): Promise<Comparison> {
  const { ours, theirs, tables, range = null, differencesMax, signal } = options;
  const differences: Difference[] = [];
  const summaries: Comparison['tables'] = [];
  let truncated = false;
  for (const table of tables) {
    signal?.throwIfAborted();
    const [own, other] = await Promise.all([ours.digest(table, range), theirs.digest(table, range)]);
    const buckets = differingBuckets(own, other);
    summaries.push({
      table: table.name,
      rowsOurs: own.rows,
      rowsTheirs: other.rows,
      bucketsDiffering: buckets.length,
    });
    if (buckets.length === 0) continue;
    const wanted = { buckets, range };
    for await (const difference of differingRows(
      table,
      pages(ours, table, wanted),
      pages(theirs, table, wanted),
    )) {
      signal?.throwIfAborted();
      truncated = differences.length >= differencesMax;
      if (truncated) break;
      differences.push(difference);
    }
  }
  return {
    equal: summaries.every(({ bucketsDiffering }) => bucketsDiffering === 0),
    rows: summaries.reduce((sum, { rowsOurs }) => sum + rowsOurs, 0),
    tables: summaries,
    differences,
    truncated,
  };
}

/** Buckets whose rows are not the same, in ascending order. */
export function differingBuckets(ours: TableDigest, theirs: TableDigest): readonly number[] {
  const known = new Map(ours.buckets.map(([bucket, rows, digest]) => [bucket, `${rows}/${digest}`]));
  const differing = new Set<number>();
  for (const [bucket, rows, digest] of theirs.buckets) {
    if (known.get(bucket) !== `${rows}/${digest}`) differing.add(bucket);
    known.delete(bucket);
  }
  return [...differing, ...known.keys()].sort((a, b) => a - b);
}

async function* pages(
  side: Side,
  table: Table,
  wanted: Pick<BucketRows, 'buckets' | 'range'>,
): AsyncGenerator<RowText> {
  for (let after: string | null = null; ;) {
    const page: readonly RowText[] = await side.rows(table, { ...wanted, after, rowsMax: pageRows });
    yield* page;
    if (page.length < pageRows) return;
    after = page.at(-1)?.key ?? null;
  }
}

/** Merges two streams of rows in the order of their keys' bytes and tells where they are not the same. */
export async function* differingRows(
  table: Table,
  ours: AsyncIterable<RowText>,
  theirs: AsyncIterable<RowText>,
): AsyncGenerator<Difference> {
  const left = ours[Symbol.asyncIterator]();
  const right = theirs[Symbol.asyncIterator]();
  let [own, other] = await Promise.all([left.next(), right.next()]);
  while (!own.done || !other.done) {
    const order = own.done ? 1 : other.done ? -1 : compareKeys(own.value.key, other.value.key);
    if (order < 0 && !own.done) yield { kind: 'only-ours', table: table.name, key: own.value.key };
    if (order > 0 && !other.done) yield { kind: 'only-theirs', table: table.name, key: other.value.key };
    if (order === 0 && !own.done && !other.done) {
      const columns = differingColumns(table, own.value, other.value);
      if (columns.length > 0)
        yield { kind: 'differs', table: table.name, key: own.value.key, columns: [...columns] };
    }
    [own, other] = await Promise.all([order <= 0 ? left.next() : own, order >= 0 ? right.next() : other]);
  }
}

function differingColumns(table: Table, ours: RowText, theirs: RowText): readonly string[] {
  return columnsOf(table).filter((_, index) => ours.values[index] !== theirs.values[index]);
}

/** The order of collation C. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
