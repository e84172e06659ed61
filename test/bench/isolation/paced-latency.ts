import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls `act(n)` at a steady rate, not waiting for one before the next, until `during` has settled. Returns for each
 * how long it took, from when it was due: one that is kept waiting does not hide those behind it.
 */
export async function pacedLatenciesMs(
  act: (n: number) => Promise<unknown>,
  { perSecond, during }: { readonly perSecond: number; readonly during: Promise<unknown> },
): Promise<readonly number[]> {
  let over = false;
  const end = during.finally(() => {
    over = true;
  });
  const latenciesMs: number[] = [];
  const pending: Promise<void>[] = [];
  const startedMs = performance.now();
  for (let n = 0; !over; n += 1) {
    const waitMs = startedMs + (n * 1000) / perSecond - performance.now();
    // A timer that fires late is not what is measured; a loop that cannot keep up is.
    if (waitMs > 0) await sleep(waitMs);
    const dueMs = performance.now() + Math.min(0, waitMs);
    pending.push(act(n).then(() => void latenciesMs.push(performance.now() - dueMs)));
  }
  await Promise.all(pending);
  await end;
  return latenciesMs;
}
