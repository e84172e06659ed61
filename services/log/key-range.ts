import type { KeyRange } from '../protocol/scope.ts';

/**
 * The condition that a key lies in a range, as SQL over `column` with its parameters from `$first` on.
 * Key columns have collation C, so keys compare by their bytes.
 */
export function rangeCondition(
  column: string,
  range: KeyRange | null,
  first = 1,
): { readonly text: string; readonly values: readonly string[] } {
  const ends = [
    ['>=', range?.from],
    ['<', range?.to],
  ].filter((end): end is [string, string] => typeof end[1] === 'string');
  const conditions = ends.map(([operator], index) => `${column} ${operator} $${first + index}`);
  return { text: conditions.join(' and ') || 'true', values: ends.map(([, key]) => key) };
}

/** Whether a key lies in a range. */
export function isInRange(key: string, range: KeyRange | null): boolean {
  if (range === null) return true;
  const bytes = Buffer.from(key);
  return (
    (range.from === null || bytes.compare(Buffer.from(range.from)) >= 0) &&
    (range.to === null || bytes.compare(Buffer.from(range.to)) < 0)
  );
}
