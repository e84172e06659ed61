import { describe, expect, it } from 'vitest';
import { Returners } from '../../../services/log/returners.ts';

describe('waiting for those who were answered', () => {
  it('ends when all are back', () => {
    const returners = new Returners();
    expect(returners.answered(3, 1)).toBe(true);
    expect([1, 2, 3].map((present) => returners.awaits(present))).toEqual([true, true, true]);
    expect(returners.awaits(4)).toBe(false);
  });

  it('does not begin for one who asks alone', () => {
    const returners = new Returners();
    expect(returners.answered(1, 0)).toBe(false);
    expect(returners.awaits(1)).toBe(false);
  });

  it('does not begin where the next group is worth its commit already', () => {
    expect(new Returners().answered(1, 64)).toBe(false);
  });

  it('pauses after it was in vain, each time longer, until it pays again', () => {
    const returners = new Returners();
    const waitsAgainAfter = (): number => {
      let commits = 0;
      while (!returners.answered(4, 0)) commits += 1;
      return commits;
    };
    const pauses = [1, 2, 3].map(() => {
      waitsAgainAfter();
      returners.giveUp(1);
      return waitsAgainAfter();
    });
    expect(pauses).toEqual([2, 4, 8]);
    expect(returners.awaits(4)).toBe(false);
    expect(returners.answered(4, 0)).toBe(true);
    returners.giveUp(1);
    expect(waitsAgainAfter()).toBe(2);
  });

  it('goes on while most come back', () => {
    const returners = new Returners();
    returners.answered(4, 0);
    returners.giveUp(3);
    expect(returners.answered(3, 0)).toBe(true);
  });
});
