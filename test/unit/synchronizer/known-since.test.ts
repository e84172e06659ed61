import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KnownSince } from '../../../services/synchronizer/apply/known-since.ts';

describe('the age of a backlog', () => {
  it('counts from when the oldest event not applied was first known of', () => {
    const known = new KnownSince();
    known.note(10, 1_000);
    known.note(20, 4_000);
    known.note(20, 9_000);
    expect(known.ageAfterMs(9, 10_000)).toBe(9_000);
    expect(known.ageAfterMs(10, 10_000)).toBe(6_000);
    expect(known.ageAfterMs(20, 10_000)).toBeUndefined();
  });

  it('never understates, however many events come while nothing is applied', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.nat({ max: 2_100 }), (events, applied) => {
        const known = new KnownSince();
        for (let seq = 1; seq <= events; seq += 1) known.note(seq, seq * 10);
        const age = known.ageAfterMs(applied, 100_000);
        if (applied >= events) expect(age).toBeUndefined();
        else expect(age).toBeGreaterThanOrEqual(100_000 - (applied + 1) * 10);
      }),
    );
  });
});
