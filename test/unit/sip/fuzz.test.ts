import { expect, test } from 'vitest';
import { fuzzSip, slowMs } from '../../fuzz/sip.ts';

// `node test/fuzz/sip.ts --messages 10000000` is the long run.
test(
  '20,000 mutated torture messages and the longest ones neither crash, hang nor grow the core',
  { timeout: 120_000 },
  () => {
    const { slowestMs, grownBytes } = fuzzSip(20_000, 2026);
    expect(slowestMs).toBeLessThan(slowMs);
    expect(grownBytes).toBeLessThan(16 * 2 ** 20);
  },
);
