import { describe, expect, it } from 'vitest';
import { unlessAborted } from '../../../services/platform/lifecycle/abort.ts';
import { LaneLock } from '../../../services/synchronizer/apply/lane-lock.ts';

const never = new Promise<void>(() => undefined);
const untilEnded = (signal: AbortSignal): Promise<void> => unlessAborted(never, signal);

describe('lane lock', () => {
  it('ends the turn for a caller, who comes before the next one', async () => {
    const lock = new LaneLock();
    const order: string[] = [];
    const begun = Promise.withResolvers<void>();
    const turn = lock.turn(async (signal) => {
      order.push('first turn');
      begun.resolve();
      await untilEnded(signal).finally(() => order.push('first turn ended'));
    });
    await begun.promise;
    const one = lock.exclusive(async () => order.push('one'));
    const two = lock.exclusive(async () => order.push('two'));
    const next = lock.turn(async () => void order.push('next turn'));
    await Promise.all([turn, one, two, next]);
    expect(order).toEqual(['first turn', 'first turn ended', 'one', 'two', 'next turn']);
  });

  it('never lets a caller begin while a turn is still ending', async () => {
    const lock = new LaneLock();
    const committed = Promise.withResolvers<void>();
    let inside = 0;
    const turn = lock.turn(async (signal) => {
      inside += 1;
      await untilEnded(signal).catch(() => undefined);
      await committed.promise;
      inside -= 1;
    });
    const exclusive = lock.exclusive(async () => inside);
    committed.resolve();
    expect(await exclusive).toBe(0);
    await turn;
  });

  it('throws what a turn failed with, and nothing for an interruption', async () => {
    const lock = new LaneLock();
    await expect(lock.turn(async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(
      lock.turn(async (signal, end) => (end(new Error('lost')), untilEnded(signal))),
    ).rejects.toThrow('lost');
    const turn = lock.turn(untilEnded);
    await Promise.resolve();
    lock.interrupt();
    await expect(turn).resolves.toBeUndefined();
  });

  it('does not begin for a caller who gave up waiting', async () => {
    const lock = new LaneLock();
    const free = Promise.withResolvers<void>();
    const holder = lock.exclusive(() => free.promise);
    const giveUp = new AbortController();
    let begun = false;
    const waiting = lock.exclusive(async () => (begun = true), giveUp.signal);
    giveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    free.resolve();
    await holder;
    await lock.turn(async () => undefined);
    expect(begun).toBe(false);
  });
});
