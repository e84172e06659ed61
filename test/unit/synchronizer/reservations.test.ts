import { describe, expect, it } from 'vitest';
import { Reservations } from '../../../services/synchronizer/retention/reservations.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const minuteMs = 60_000;

describe('reservations of events', () => {
  it('keep the lowest that anyone needs, of each log for itself', () => {
    const reservations = new Reservations(new FakeClock());
    expect(reservations.freeUpTo('configuration')).toBe(Infinity);
    reservations.hold('configuration', 50);
    reservations.hold('configuration', 20);
    reservations.hold('c2/configuration', 3);
    expect(reservations.freeUpTo('configuration')).toBe(20);
    expect(reservations.freeUpTo('c2/configuration')).toBe(3);
  });

  it('hold for a while after their work, which is followed by more', async () => {
    const clock = new FakeClock();
    const reservations = new Reservations(clock);
    const held = reservations.hold('configuration', 20);
    await clock.advance(100 * minuteMs);
    expect(reservations.freeUpTo('configuration')).toBe(20);
    held[Symbol.dispose]();
    await clock.advance(minuteMs - 1);
    expect(reservations.freeUpTo('configuration')).toBe(20);
    await clock.advance(1);
    expect(reservations.freeUpTo('configuration')).toBe(Infinity);
  });

  it('that are renewed go along with their owner, and end when he falls silent', async () => {
    const clock = new FakeClock();
    const reservations = new Reservations(clock);
    reservations.touch('configuration', 'c2', 10);
    await clock.advance(minuteMs / 2);
    reservations.touch('configuration', 'c2', 2_010);
    expect(reservations.freeUpTo('configuration')).toBe(2_010);
    await clock.advance(minuteMs);
    expect(reservations.freeUpTo('configuration')).toBe(Infinity);
  });
});
