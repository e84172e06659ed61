import type { JobProgress } from '../../protocol/rest/jobs.ts';

/** What a job counts; totals as far as they are known. */
export type Counted = {
  readonly rowsDone: number;
  readonly bytesDone: number;
  readonly rowsTotal: number | null;
  readonly bytesTotal: number | null;
};

/** Progress with the rate since the start and the time left at that rate. Pure. */
export function progressOf(
  { rowsDone, bytesDone, rowsTotal, bytesTotal }: Counted,
  elapsedMs: number,
): JobProgress {
  const rowsPerSecond = elapsedMs > 0 ? rowsDone / (elapsedMs / 1000) : 0;
  const rowsLeft = rowsTotal === null ? null : Math.max(0, rowsTotal - rowsDone);
  const secondsLeft = rowsLeft === null || rowsPerSecond === 0 ? null : rowsLeft / rowsPerSecond;
  return {
    rowsDone,
    bytesDone,
    rowsTotal,
    bytesTotal,
    rowsPerSecond: Math.round(rowsPerSecond),
    secondsLeft: secondsLeft === null ? null : Number(secondsLeft.toFixed(1)),
  };
}
