import type { CpuSeconds } from '../cpu.ts';

/** One way to keep a second database equal to a first, as the bench drives it. Times in milliseconds. */
export interface ReplicatedSystem extends AsyncDisposable {
  /** Clears up after what was measured before, so that it burdens nobody: dead rows, dirty pages. Not measured. */
  settle(): Promise<void>;
  /** CPU time of its processes so far, and of the bench. */
  cpuSeconds(): Promise<CpuSeconds>;
  /** From nothing to a complete copy, ready for use, at the second site. */
  initialCopyMs(): Promise<number>;
  /** Changes rows 1..count in one bulk operation; until the last is visible at the second site. */
  bulkMs(count: number): Promise<number>;
  /** `count` single changes by `clients` that each wait for one answer before the next; until all are visible. */
  singlesMs(count: number, clients: number): Promise<number>;
  /** The same, each over a request of its own where that is another way. */
  singleRequestsMs(count: number, clients: number): Promise<number>;
  /** Changes at a steady rate; for each, from its answer to its visibility at the second site. */
  lagsMs(perSecond: number, seconds: number): Promise<readonly number[]>;
}

/** Rows a closed-loop client changes, never two clients the same one. */
export function* rowsOfClient(
  client: number,
  clients: number,
  count: number,
  rows: number,
): Generator<number> {
  for (let n = client; n < count; n += clients) yield (n % rows) + 1;
}

/** Calls `change(k)` for k = 1.. at a steady rate, not waiting for one before the next. */
export async function atRate(
  perSecond: number,
  seconds: number,
  change: (k: number) => Promise<void>,
): Promise<void> {
  const total = perSecond * seconds;
  const startedMs = performance.now();
  const pending: Promise<void>[] = [];
  for (let k = 1; k <= total;) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1000) * perSecond));
    for (; k <= due; k += 1) pending.push(change(k));
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
  await Promise.all(pending);
}
