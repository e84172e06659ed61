import { describe, expect, it } from 'vitest';
import { pruneTo } from '../../../services/synchronizer/retention/prune-to.ts';
import type { RetentionFacts } from '../../../services/synchronizer/retention/prune-to.ts';

const facts: RetentionFacts = {
  head: 100_000,
  bytesPerEvent: 500,
  aged: 0,
  audited: 100_000,
  applied: 100_000,
  unreserved: Infinity,
};
const mb = 1_000_000;

describe('how far a log is pruned', () => {
  it.each<[string, Partial<RetentionFacts>, number, number]>([
    ['not at all while it is within its limits', {}, 100 * mb, 0],
    ['to what fits into the limit of bytes', {}, 20 * mb, 60_000],
    ['to its age, as far as every peer has it', { aged: 30_000, applied: 25_000 }, 100 * mb, 25_000],
    ['to its age', { aged: 30_000 }, 100 * mb, 30_000],
    ['beyond what a peer has, when it would not fit otherwise', { applied: 10 }, 20 * mb, 60_000],
    ['no further than what work under way needs', { applied: 10, unreserved: 40_000 }, 20 * mb, 40_000],
    ['no further than the audit permits', { aged: 90_000, audited: 7 }, 20 * mb, 7],
    ['to the newest thousand at most', { aged: 100_000 }, 1, 99_000],
    ['never to before its beginning', { head: 10, applied: 10 }, 1, 0],
  ])('%s', (_, changed, bytesMax, expected) => {
    expect(pruneTo({ ...facts, ...changed }, bytesMax)).toBe(expected);
  });
});
