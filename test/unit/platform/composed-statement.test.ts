import { describe, expect, test } from 'vitest';
import { composeStatement } from '../../../services/platform/postgres/composed-statement.ts';
import type { Part } from '../../../services/platform/postgres/composed-statement.ts';

const part = (name: string, ...values: readonly unknown[]): Part => ({
  name,
  values,
  text: (parameter) => values.map((_, i) => parameter(i + 1)).join(' + ') || '1',
});

describe('a composed statement', () => {
  test('numbers the parameters of its parts on, and is the same for other values', () => {
    const first = composeStatement({ parts: [part('a', 1, 2), part('b', 3)], selected: [part('c', 4)] });
    expect(first.text).toBe('with a as ($1 + $2),\nb as ($3)\nselect $4');
    expect(first.values).toEqual([1, 2, 3, 4]);
    const again = composeStatement({ parts: [part('a', 5, 6), part('b', 7)], selected: [part('c', 8)] });
    expect(again).toEqual({ ...first, values: [5, 6, 7, 8] });
  });

  test('has a name of its own that the server keeps whole, however many parts it has', () => {
    const long = 'a_part_with_a_name_that_fills_what_the_server_compares_of_a_name';
    const names = ['x', 'y', 'z'].map(
      (end) => composeStatement({ parts: [part(long), part(end)], selected: [part('s')] }).name ?? '',
    );
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
  });
});
