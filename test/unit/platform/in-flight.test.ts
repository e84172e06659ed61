import { describe, expect, test } from 'vitest';
import { InFlight } from '../../../services/platform/collections/in-flight.ts';

describe('what is in flight', () => {
  test('is found under its number, once', () => {
    const flight = new InFlight<string>(4);
    const [a, b] = [flight.add('a'), flight.add('b')];
    expect([flight.size, flight.take(b), flight.take(b), flight.take(a), flight.size]).toEqual([
      2,
      'b',
      undefined,
      'a',
      0,
    ]);
  });

  test('has numbers that are not used again, however often it turns round', () => {
    const flight = new InFlight<number>(3);
    const numbers = Array.from({ length: 20 }, (_, i) => {
      const number = flight.add(i);
      expect(flight.take(number - 1)).toBeUndefined();
      expect(flight.take(number + 3)).toBeUndefined();
      expect(flight.take(number)).toBe(i);
      return number;
    });
    expect(new Set(numbers).size).toBe(20);
  });

  test('is full while the oldest is not taken, whatever was taken behind it', () => {
    const flight = new InFlight<string>(3);
    const [a, b, c] = [flight.add('a'), flight.add('b'), flight.add('c')];
    flight.take(b);
    flight.take(c);
    expect([flight.size, flight.isFull, flight.oldest]).toEqual([1, true, 'a']);
    expect(() => flight.add('d')).toThrow(RangeError);
    flight.take(a);
    expect([flight.isFull, flight.oldest]).toEqual([false, undefined]);
    expect([flight.add('d'), flight.add('e'), flight.add('f')].map((n) => flight.take(n))).toEqual([
      'd',
      'e',
      'f',
    ]);
  });

  test('is gone through oldest first, and may be taken meanwhile', () => {
    const flight = new InFlight<string>(8);
    const numbers = ['a', 'b', 'c', 'd'].map((item) => flight.add(item));
    flight.take(numbers[1] ?? 0);
    const seen: string[] = [];
    for (const [number, item] of flight) {
      seen.push(item);
      flight.take(number);
    }
    expect([seen, flight.size, [...flight]]).toEqual([['a', 'c', 'd'], 0, []]);
  });

  test('takes nothing under a number that no item can have', () => {
    const flight = new InFlight<string>(2);
    flight.add('a');
    expect([0, -1, 0.5, 2, Number.MAX_SAFE_INTEGER].map((n) => flight.take(n))).toEqual(
      Array.from({ length: 5 }),
    );
    expect(flight.size).toBe(1);
  });
});
