import { expect, test } from 'vitest';
import { renderJob } from '../../../services/cli/output/job-screen.ts';
import { Output } from '../../../services/cli/output/output.ts';
import { jobSchema } from '../../../services/protocol/rest/jobs.ts';

const at = '2026-11-26T09:00:00.000Z';

test('a job that is over tells what each of its transfers did, in words, and nothing of what was expected', () => {
  const job = jobSchema.parse({
    id: 'a3bb189e-8bf9-4f5b-9a5e-2f5b1c0d7e11',
    kind: 'bootstrap',
    peer: 'c2',
    state: 'done',
    phase: 'copying',
    progress: { rowsDone: 20_011, rowsTotal: 25_000, secondsLeft: 0 },
    attempts: 1,
    cancelRequested: false,
    requestedBy: 'admin',
    result: { pull: { seq: 1_204, rows: 20_010, bytes: 6_400_000, transfer: 'b1c' }, resync: { rows: 1 } },
    error: null,
    createdAt: at,
    startedAt: at,
    nextAttemptAt: at,
    endedAt: at,
  });
  const lines = renderJob(new Output(false), job).split('\n');
  expect(lines.find((line) => line.startsWith('State'))).toMatch(/done$/);
  expect(lines.find((line) => line.startsWith('Rows'))).toMatch(/20,011$/);
  expect(lines.join()).not.toContain('Time left');
  expect(lines.at(-2)).toMatch(/^pull +at event 1,204, 20,010 rows, 6\.4 MB, transfer b1c$/);
  expect(lines.at(-1)).toMatch(/^resync +1 row$/);
});
