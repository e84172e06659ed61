import { describe, expect, test } from 'vitest';
import { InFlight } from '../../../services/platform/collections/in-flight.ts';
import { Linked, LinkedList } from '../../../services/platform/collections/linked-list.ts';
import { Lru } from '../../../services/platform/collections/lru.ts';

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

class Bead extends Linked<Bead> {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

describe('a linked list', () => {
  const aList = () => {
    const list = new LinkedList<Bead>();
    const beads = ['a', 'b', 'c'].map((name) => new Bead(name));
    for (const bead of beads) list.push(bead);
    return { list, beads };
  };
  const names = (list: LinkedList<Bead>): string[] => [...list].map(({ name }) => name);

  test('is in order of arrival, whichever is taken out', () => {
    for (const out of ['a', 'b', 'c']) {
      const { list, beads } = aList();
      const taken = beads.find(({ name }) => name === out) ?? new Bead('');
      list.remove(taken);
      const left = ['a', 'b', 'c'].filter((name) => name !== out);
      expect([names(list), list.size, list.first?.name]).toEqual([left, 2, left[0]]);
      list.push(taken);
      expect(names(list)).toEqual([...left, out]);
    }
  });

  test('can be gone through while its items are taken out', () => {
    const { list } = aList();
    const seen: string[] = [];
    for (const bead of list) {
      seen.push(bead.name);
      if (bead.name !== 'b') list.remove(bead);
    }
    expect([seen, names(list)]).toEqual([['a', 'b', 'c'], ['b']]);
  });

  test('knows who is in it', () => {
    const { list, beads } = aList();
    for (const bead of beads) {
      expect(bead.list).toBe(list);
      list.remove(bead);
      expect([bead.list, bead.before, bead.after]).toEqual([undefined, undefined, undefined]);
    }
    expect([list.size, list.first]).toEqual([0, undefined]);
  });
});

describe('what was used last', () => {
  test('is kept, and no more than there is room for', () => {
    const lru = new Lru<number>(2);
    lru.set('a', 1);
    lru.set('b', 2);
    lru.get('a');
    lru.set('c', 3);
    expect([lru.get('a'), lru.get('b'), lru.get('c'), lru.size]).toEqual([1, undefined, 3, 2]);
  });

  test('has the value it was given last, which counts as use', () => {
    const lru = new Lru<number>(2);
    lru.set('a', 1);
    lru.set('b', 2);
    lru.set('a', 3);
    lru.set('c', 4);
    expect([lru.get('a'), lru.get('b'), lru.size]).toEqual([3, undefined, 2]);
  });

  test('goes when it is deleted, or everything is', () => {
    const lru = new Lru<number>(2);
    lru.set('a', 1);
    lru.set('b', 2);
    lru.delete('a');
    lru.delete('nobody');
    expect([lru.get('a'), lru.get('b'), lru.size]).toEqual([undefined, 2, 1]);
    lru.clear();
    lru.set('c', 3);
    expect([lru.get('b'), lru.get('c'), lru.size]).toEqual([undefined, 3, 1]);
  });
});
