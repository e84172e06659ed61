import { stripVTControlCharacters } from 'node:util';

/** A column: its head, and whether its cells end at one line (numbers). */
export type Column = { readonly head: string; readonly right?: boolean | undefined };

const gap = '  ';

/** Rows under heads, aligned; cells may be coloured. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ head }) => head), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index] ?? ''))));
  return lines
    .map((line) =>
      columns
        .map(({ right }, index) => pad(line[index] ?? '', widths[index] ?? 0, right ?? false))
        .join(gap)
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values under each other; what has no value is left out. */
export function formatFacts(facts: readonly (readonly [name: string, value: string | undefined])[]): string {
  const known = facts.filter(([, value]) => value !== undefined);
  const width = Math.max(...known.map(([name]) => name.length), 0);
  return known.map(([name, value]) => `${name.padEnd(width)}${gap}${value}`).join('\n');
}

function pad(cell: string, width: number, right: boolean): string {
  const space = ' '.repeat(width - widthOf(cell));
  return right ? space + cell : cell + space;
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
