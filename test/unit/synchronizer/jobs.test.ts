import { describe, expect, it } from 'vitest';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';
import { wholeScope } from '../../../services/protocol/scope.ts';
import type { JobKind } from '../../../services/protocol/rest/jobs.ts';
import { startable } from '../../../services/synchronizer/jobs/locks.ts';
import { endOf } from '../../../services/synchronizer/jobs/outcome.ts';
import { progressOf } from '../../../services/synchronizer/jobs/progress.ts';
import { partId } from '../../../services/synchronizer/jobs/remote.ts';

const job = (id: string, kind: JobKind, peer = 'c2') => ({
  id,
  kind,
  peer,
  log: 'configuration' as const,
  scope: wholeScope,
  attempts: 0,
  fence: 0,
});

describe('the jobs that may begin', () => {
  it('leave out a second transfer into or out of the same copy, but not one the other way', () => {
    const due = [job('a', 'resync'), job('b', 'resync'), job('c', 'pull'), job('d', 'resync', 'c3')];
    expect(startable(due, new Set(), 9).map(({ id }) => id)).toEqual(['a', 'c', 'd']);
    expect(startable(due, new Set(['to/c2/configuration']), 9).map(({ id }) => id)).toEqual(['c', 'd']);
  });

  it('are no more than there are places', () => {
    const due = [job('a', 'resync'), job('b', 'pull'), job('c', 'verify')];
    expect(startable(due, new Set(), 2).map(({ id }) => id)).toEqual(['a', 'b']);
  });
});

describe('a job after an attempt', () => {
  const failure = (error: unknown, attempts: number) => endOf({ kind: 'failed', error }, attempts, 0);

  it('waits longer after each failure that a retry can help, and ends in the end', () => {
    const passing = new DualhomeError('TRANSFER_LOCKED');
    expect(failure(passing, 1)).toMatchObject({ state: 'queued', waitMs: 1_000 });
    expect(failure(passing, 3)).toMatchObject({ state: 'queued', waitMs: 4_000 });
    expect(failure(passing, 10)).toMatchObject({ state: 'failed', error: { code: 'TRANSFER_LOCKED' } });
  });

  it('has failed at once where no retry helps', () => {
    expect(failure(new DualhomeError('TRANSFER_HOME_EMPTY'), 1)).toMatchObject({
      state: 'failed',
      waitMs: 0,
    });
  });

  it('tries a defect three times and names it as one', () => {
    expect(failure(new TypeError('x is undefined'), 2)).toMatchObject({ state: 'queued' });
    expect(failure(new TypeError('x is undefined'), 3)).toMatchObject({
      state: 'failed',
      error: { code: 'JOB_DEFECT', message: 'x is undefined' },
    });
  });

  it('goes back into the queue when the program stops, and not when it is cancelled', () => {
    expect(endOf({ kind: 'interrupted' }, 1, 0)).toMatchObject({ state: 'queued', waitMs: 0 });
    expect(endOf({ kind: 'cancelled' }, 1, 0)).toMatchObject({ state: 'cancelled' });
  });
});

describe('progress', () => {
  it('tells the rate and the time left', () => {
    const counted = { rowsDone: 500, bytesDone: 1, rowsTotal: 2_000, bytesTotal: null };
    expect(progressOf(counted, 1_000)).toMatchObject({ rowsPerSecond: 500, secondsLeft: 3 });
  });

  it('tells no time left before anything is done or while the total is unknown', () => {
    const nothing = { rowsDone: 0, bytesDone: 0, rowsTotal: 10, bytesTotal: null };
    expect(progressOf(nothing, 1_000).secondsLeft).toBeNull();
    expect(progressOf({ ...nothing, rowsDone: 1, rowsTotal: null }, 1_000).secondsLeft).toBeNull();
  });
});

it('the id of a part is a UUID that follows from the whole', () => {
  const whole = '0b3c1c52-6d4f-4c9b-9d3c-0d6a2f6f5a11';
  expect(partId(whole, 'push/1')).toBe(partId(whole, 'push/1'));
  expect(partId(whole, 'push/1')).not.toBe(partId(whole, 'push/2'));
  expect(partId(whole, 'push/1')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});
