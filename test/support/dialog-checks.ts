import { expect } from 'vitest';
import type { Dialog } from './soft-phone.ts';

/** A re-INVITE of either end reaches the other. */
export async function bothWays(one: Dialog, other: Dialog): Promise<void> {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    expect(await from.request('INVITE')).toBe(200);
    expect((await to.requests.next()).method).toBe('INVITE');
  }
}
