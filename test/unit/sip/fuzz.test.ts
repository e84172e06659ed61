import { expect, test } from 'vitest';
import { fuzzSip } from '../../fuzz/sip.ts';

// `node test/fuzz/sip.ts --messages 10000000` is the long run.
test('20,000 mutated torture messages neither crash the core nor make it grow', { timeout: 120_000 }, () => {
  const { messages, grownBytes } = fuzzSip(20_000, 2026);
  expect(messages).toBe(20_000);
  expect(grownBytes).toBeLessThan(16 * 2 ** 20);
});
