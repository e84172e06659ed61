import { describeScope, isWhole } from '../../protocol/scope.ts';
import { hasEnded } from '../../protocol/rest/jobs.ts';
import type { Job, JobPreview, JobState } from '../../protocol/rest/jobs.ts';
import { formatBytes, formatCount, formatDuration, formatQuantity, formatTime } from './format.ts';
import type { Output } from './output.ts';
import { formatFacts, formatTable } from './table.ts';

const colours: Readonly<Record<JobState, 'green' | 'yellow' | 'red'>> = {
  queued: 'yellow',
  running: 'yellow',
  done: 'green',
  failed: 'red',
  cancelled: 'yellow',
};

/** Jobs under each other, as they were listed. */
export function renderJobs(out: Output, jobs: readonly Job[]): string {
  if (jobs.length === 0) return 'No jobs';
  const columns = [
    { head: 'JOB' },
    { head: 'KIND' },
    { head: 'PEER' },
    { head: 'LOG' },
    { head: 'SCOPE' },
    { head: 'STATE' },
    { head: 'ROWS', right: true },
    { head: 'ATTEMPTS', right: true },
    { head: 'CREATED' },
    { head: 'BY' },
  ];
  const rows = jobs.map((job) => [
    job.id,
    job.kind,
    job.peer,
    logsOf(job),
    describeScope(job.scope),
    out.style(colours[job.state], job.phase && job.state === 'running' ? job.phase : job.state),
    formatCount(job.progress.rowsDone),
    String(job.attempts),
    formatTime(job.createdAt),
    job.requestedBy,
  ]);
  return formatTable(columns, rows);
}

/** A bootstrap of everything is of both logs. */
function logsOf({ kind, log, scope }: Job): string {
  return kind === 'bootstrap' && isWhole(scope) ? 'both' : log;
}

/** Everything of one job. */
export function renderJob(out: Output, job: Job): string {
  const { phase, progress, error, result } = job;
  // What was expected of it says nothing any more when it is over.
  const runs = !hasEnded(job.state);
  const { rowsTotal, bytesTotal, secondsLeft } = runs
    ? progress
    : { rowsTotal: null, bytesTotal: null, secondsLeft: null };
  const tookMs =
    job.startedAt && job.endedAt ? Date.parse(job.endedAt) - Date.parse(job.startedAt) : undefined;
  return formatFacts([
    ['Job', job.id],
    ['What', `${job.kind} with ${job.peer}, ${logsOf(job)}, ${describeScope(job.scope)}`],
    ['State', out.style(colours[job.state], job.state) + (runs && phase !== null ? ` (${phase})` : '')],
    ['Reason', job.reason || undefined],
    ['Requested by', job.requestedBy],
    ['Created', formatTime(job.createdAt)],
    ['Started', job.startedAt === null ? undefined : formatTime(job.startedAt)],
    ['Ended', job.endedAt === null ? undefined : formatTime(job.endedAt)],
    ['Took', tookMs === undefined ? undefined : formatDuration(tookMs)],
    ['Attempts', String(job.attempts)],
    ['Rows', quantity(progress.rowsDone, rowsTotal, formatCount)],
    ['Bytes', quantity(progress.bytesDone, bytesTotal, formatBytes)],
    ['Time left', secondsLeft === null ? undefined : formatDuration(secondsLeft * 1_000)],
    ['Error', error === null ? undefined : `${error.code}: ${error.message}`],
    ['What to do', error?.action],
    ...Object.entries(result ?? {}).map(([name, value]) => [name, shown(value)] as const),
  ]);
}

/** What a transfer would do. */
export function renderPreview({ directions }: JobPreview): string {
  const columns = [
    { head: 'LOG' },
    { head: 'DIRECTION' },
    { head: 'ROWS', right: true },
    { head: 'BYTES', right: true },
    { head: 'REPLACES ROWS', right: true },
    { head: 'EXPECTED', right: true },
  ];
  const rows = directions.map(({ log, from, to, rows: count, bytes, replacesRows, expectedSeconds }) => [
    log,
    `${from} -> ${to}`,
    formatCount(count),
    formatBytes(bytes),
    replacesRows === null ? '?' : formatCount(replacesRows),
    formatDuration(expectedSeconds * 1_000),
  ]);
  return formatTable(columns, rows);
}

function quantity(done: number, total: number | null, format: (value: number) => string): string | undefined {
  if (done === 0 && total === null) return undefined;
  return total === null ? format(done) : `${format(done)} of ${format(total)}`;
}

function shown(value: unknown): string {
  if (typeof value === 'number') return formatCount(value);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => shownPart(name, part))
    .join(', ');
}

function shownPart(name: string, value: unknown): string {
  if (typeof value === 'number' && name === 'rows') return formatQuantity(value, 'row');
  if (typeof value === 'number' && name === 'bytes') return formatBytes(value);
  if (name === 'seq') return `at event ${shown(value)}`;
  return `${name} ${shown(value)}`;
}
