import { expect, it } from 'vitest';
import { ConnectionLimits } from '../../../services/front/transport/connection-limits.ts';

it('counts connections that have proven nothing, by source and in all', () => {
  const limits = new ConnectionLimits({ perSource: 2, total: 3 });
  expect([limits.enter('a', 1), limits.enter('a', 2), limits.enter('a', 3)]).toEqual([true, true, false]);
  expect([limits.enter('b', 4), limits.enter('c', 5)]).toEqual([true, false]);
  limits.leave('a', 1);
  limits.leave('a', 1);
  limits.leave('c', 5);
  expect(limits.unproven).toBe(2);
  expect([limits.enter('a', 6), limits.enter('a', 7)]).toEqual([true, false]);
});
