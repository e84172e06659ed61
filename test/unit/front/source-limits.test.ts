import { describe, expect, it } from 'vitest';
import { SourceLimits } from '../../../services/front/transport/source-limits.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const values = {
  stranger: { burst: 4, perSecond: 1 },
  strangers: { burst: 6, perSecond: 2 },
  known: { burst: 10, perSecond: 5 },
};

function aSite() {
  const clock = new FakeClock();
  const limits = new SourceLimits((address) => address.startsWith('home'), clock, values);
  const letIn = (address: string, count: number): number =>
    Array.from({ length: count }, () => limits.admit(address)).filter(Boolean).length;
  return { clock, limits, letIn };
}

describe('sources', () => {
  it('are limited each, strangers also together, known ones apart from them', async () => {
    const { clock, limits, letIn } = aSite();
    expect([letIn('a', 9), letIn('b', 9), letIn('c', 9)]).toEqual([4, 2, 0]);
    expect(letIn('home', 20)).toBe(10);
    expect(limits.refused).toBe(5 + 7 + 9 + 10);
    await clock.advance(1_000);
    expect([letIn('a', 9), letIn('home', 9)]).toEqual([1, 5]);
  });

  it('get back what has proven genuine, so that an office is not limited', () => {
    const { limits, letIn } = aSite();
    for (let device = 0; device < 50; device++) {
      expect(letIn('office', 2)).toBe(2);
      limits.prove('office');
    }
    expect(letIn('office', 9)).toBe(4);
  });

  it('are forgotten when too many are remembered', () => {
    const clock = new FakeClock();
    const limits = new SourceLimits(() => true, clock, { ...values, known: { burst: 1, perSecond: 0 } });
    expect([limits.admit('first'), limits.admit('first')]).toEqual([true, false]);
    for (let i = 0; i < 50_000; i++) limits.admit(`other ${i}`);
    expect(limits.admit('first')).toBe(true);
  });

  it('stay limited as long as they go on, however many others come', () => {
    const clock = new FakeClock();
    const limits = new SourceLimits(() => true, clock, { ...values, known: { burst: 1, perSecond: 0 } });
    limits.admit('flood');
    const admitted = Array.from({ length: 120_000 }, (_, i) => {
      limits.admit(`other ${i}`);
      return i % 40_000 === 0 && limits.admit('flood');
    });
    expect(admitted).not.toContain(true);
  });
});
