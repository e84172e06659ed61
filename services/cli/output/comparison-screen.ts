import type { Comparison, Difference } from '../../protocol/digest.ts';
import { formatCount, formatQuantity } from './format.ts';
import type { Output } from './output.ts';

/** What a comparison found: one line when equal, else the rows that differ. */
export function renderComparison(
  out: Output,
  what: string,
  { seq, equal, rows, differences, truncated }: Comparison & { readonly seq: number },
): string {
  const verdict = equal ? out.style('green', 'equal') : out.style('red', 'DIFFERENT');
  const head = `${what} at event ${formatCount(seq)}: ${formatQuantity(rows, 'row')}, ${verdict}`;
  const lines = differences.map((difference) => `  ${describe(difference)}`);
  return [head, ...lines, ...(truncated ? ['  ... and more'] : [])].join('\n');
}

function describe(difference: Difference): string {
  const { kind, table, key } = difference;
  return kind === 'differs'
    ? `${table} ${key}: ${difference.columns.join(', ')}`
    : `${table} ${key}: only ${kind === 'only-ours' ? 'here' : 'there'}`;
}
