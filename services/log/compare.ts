import type { Comparison, Difference, TableDigest } from '../protocol/digest.ts';
import type { KeyRange } from '../protocol/scope.ts';
import type { Table } from '../model/table.ts';
import type { Queryable } from '../platform/postgres/statement.ts';
import { bucketRows, digestTable, sliceRange } from './digest.ts';
import type { BucketRows, RowText } from './digest.ts';
import { columnsOf } from './tables.ts';

/** One side of a comparison: a database at a fixed position, here or behind the link. */
export type Side = {
  digest(table: Table, range: KeyRange | null): Promise<TableDigest>;
  rows(table: Table, wanted: BucketRows): Promise<readonly RowText[]>;
};

/** The side that says how the keys are cut. */
export type OwnSide = Side & { slices(table: Table, range: KeyRange | null): AsyncIterable<KeyRange> };

export type CompareOptions = {
  readonly ours: OwnSide;
  readonly theirs: Side;
  readonly tables: readonly Table[];
  readonly range?: KeyRange | null | undefined;
  /** Rows named in the result; what is beyond is only counted by buckets. */
  readonly differencesMax: number;
  readonly signal?: AbortSignal | undefined;
};

const pageRows = 500;

/** The side that a session of ours is; it needs a REPEATABLE READ transaction. */
export const sideOf = (session: Queryable): OwnSide => ({
  slices: (table, range) => sliceRange(session, table, range),
  digest: (table, range) => digestTable(session, table, range),
  rows: (table, wanted) => bucketRows(session, table, wanted),
});

/**
 * Compares both sides table by table, slice by slice: first the digests of buckets, then the rows of those
 * that differ. A row that differs lies, at each side that has it, in a bucket that differs there.
 */
export async function compareSides(options: CompareOptions): Promise<Comparison> {
  const found: Found = { differences: [], truncated: false };
  const tables: Comparison['tables'] = [];
  for (const table of options.tables) tables.push(await compareTable(table, options, found));
  return {
    equal: tables.every(({ bucketsDiffering }) => bucketsDiffering === 0),
    rows: tables.reduce((sum, { rowsOurs }) => sum + rowsOurs, 0),
    tables,
    ...found,
  };
}

type Found = { readonly differences: Difference[]; truncated: boolean };

async function compareTable(
  table: Table,
  options: CompareOptions,
  found: Found,
): Promise<Comparison['tables'][number]> {
  const { ours, theirs, range = null, signal } = options;
  const differing = new Set<number>();
  let [rowsOurs, rowsTheirs] = [0, 0];
  for await (const slice of ours.slices(table, range)) {
    signal?.throwIfAborted();
    const [own, other] = await Promise.all([ours.digest(table, slice), theirs.digest(table, slice)]);
    rowsOurs += own.rows;
    rowsTheirs += other.rows;
    const buckets = differingBuckets(own, other);
    for (const bucket of buckets) differing.add(bucket);
    if (buckets.length > 0) await nameRows(table, { buckets, range: slice }, options, found);
  }
  return { table: table.name, rowsOurs, rowsTheirs, bucketsDiffering: differing.size };
}

/** Adds the rows that differ, up to the number asked for. */
async function nameRows(
  table: Table,
  wanted: Pick<BucketRows, 'buckets' | 'range'>,
  { ours, theirs, differencesMax, signal }: CompareOptions,
  found: Found,
): Promise<void> {
  if (found.truncated) return;
  const rows = differingRows(table, pages(ours, table, wanted), pages(theirs, table, wanted));
  for await (const difference of rows) {
    signal?.throwIfAborted();
    found.truncated = found.differences.length >= differencesMax;
    if (found.truncated) return;
    found.differences.push(difference);
  }
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
