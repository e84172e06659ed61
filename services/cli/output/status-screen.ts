import type { Direction, Health, LinkStatus, Status } from '../../protocol/status.ts';
import { formatBytes, formatCount, formatDuration, formatQuantity, formatTime } from './format.ts';
import type { Output } from './output.ts';
import { formatTable } from './table.ts';

const colours: Readonly<Record<Health, 'green' | 'yellow' | 'red'>> = {
  ok: 'green',
  unproven: 'yellow',
  'catching-up': 'yellow',
  unknown: 'red',
  halted: 'red',
};

const columns = [
  { head: 'LOG' },
  { head: 'DIRECTION' },
  { head: 'STATE' },
  { head: 'HEAD', right: true },
  { head: 'APPLIED', right: true },
  { head: 'BEHIND', right: true },
  { head: 'LATE BY', right: true },
  { head: 'UNSENT', right: true },
  { head: 'LAST PROOF' },
];

/** One screen: the link, both logs in both directions, what would be lost, alarms and warnings. What is not known shows as "?". */
export function renderStatus(out: Output, status: Status): string {
  const { site, at, health, peers, alarms, warnings } = status;
  const sections = [
    `Site ${site}   ${styled(out, health)}   ${formatTime(at)}`,
    ...peers.flatMap(({ name, link, directions }) => [
      `Link to ${name}: ${describeLink(out, link)}`,
      formatTable(
        columns,
        directions.map((direction) => rowOf(out, direction, at)),
      ),
      [...Map.groupBy(directions, ({ from }) => from)]
        .map(([from, logs]) => describeLoss(out, from, logs))
        .join('\n'),
      ...directions.flatMap((direction) => troubleOf(out, direction)),
    ]),
    ...(peers.length === 0 ? ['No peers; see `dualhome pair invite`.'] : []),
    alarms === null
      ? out.style('yellow', 'Alarms: the shared database does not answer.')
      : describeAlarms(out, alarms),
    ...warnings.map((warning) => `${out.style('yellow', 'Warning:')} ${warning}`),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function styled(out: Output, health: Health): string {
  return out.style(colours[health], health);
}

function describeLink(
  out: Output,
  { state, since, roundTripMs, clockOffsetMs, trouble }: LinkStatus,
): string {
  const facts = [
    `${out.style(state === 'up' ? 'green' : 'red', state)} since ${formatTime(since)}`,
    ...(roundTripMs === null ? [] : [`round trip ${roundTripMs.toFixed(1)} ms`]),
    ...(clockOffsetMs === null
      ? []
      : [`clock ${clockOffsetMs >= 0 ? '+' : ''}${clockOffsetMs.toFixed(1)} ms`]),
    ...(trouble === null ? [] : [`${trouble.code}: ${trouble.detail}\n${trouble.action}`]),
  ];
  return facts.join(', ');
}

/**
 * The last event. A head is read once a second, and what a copy holds of the same history was in the log by then; where the
 * histories do not fit nothing is behind anything, and both are shown as they are.
 */
function headOf({ head, applied, eventsBehind }: Direction): number | null {
  return head && Math.max(head.seq, eventsBehind === null ? 0 : (applied ?? 0));
}

function rowOf(out: Output, direction: Direction, at: string): readonly string[] {
  const { log, from, to, health, applied, eventsBehind, secondsBehind, bytesUnsent } = direction;
  return [
    log,
    `${from} -> ${to}`,
    styled(out, health),
    known(headOf(direction), formatCount),
    known(applied, formatCount),
    known(eventsBehind, formatCount),
    known(secondsBehind, (seconds) => formatDuration(seconds * 1_000)),
    known(bytesUnsent, formatBytes),
    describeProof(direction, at),
  ];
}

function describeProof({ proof, ready }: Direction, at: string): string {
  if (!proof) return 'never';
  const ageMs = Math.max(0, Date.parse(at) - Date.parse(proof.provenAt));
  const verdict = proof.equal ? 'equal' : 'DIFFERENT';
  return `${formatDuration(ageMs)} ago: ${formatQuantity(proof.rows, 'row')} ${verdict}${ready ? ', ready' : ''}`;
}

/** What a log is a list of. */
const lost: Readonly<Record<Direction['log'], string>> = {
  configuration: 'change',
  registration: 'registration',
};

/** What of both logs of a site would be lost with it. */
function describeLoss(out: Output, from: string, logs: readonly Direction[]): string {
  const heardSecondsAgo = Math.max(...logs.map((direction) => direction.heardSecondsAgo ?? 0));
  const age = heardSecondsAgo > 3 ? ` (as of ${formatDuration(heardSecondsAgo * 1_000)} ago)` : '';
  const unknown = logs.filter(({ loss }) => loss === null).map(({ log }) => `${lost[log]}s not known`);
  const losses = logs.flatMap(({ log, loss }) => {
    if (!loss || loss.changes === 0) return [];
    const oldest = formatDuration(loss.oldestSeconds * 1_000);
    return [`${formatQuantity(loss.changes, lost[log])} lost, oldest ${oldest}`];
  });
  if (unknown.length === logs.length) return `If ${from} died now: not known`;
  const parts = [...losses, ...unknown];
  if (parts.length === 0) return `If ${from} died now: nothing lost${age}`;
  return out.style('yellow', `If ${from} died now: ${parts.join('; ')}${age}`);
}

function troubleOf(out: Output, { log, from, to, trouble }: Direction): readonly string[] {
  if (!trouble) return [];
  return [
    `${out.style('red', `${log} ${from} -> ${to}: ${trouble.code}`)} ${trouble.detail}\n${trouble.action}`,
  ];
}

function describeAlarms(out: Output, alarms: NonNullable<Status['alarms']>): string {
  return alarms
    .map(({ code, subject, detail, action, raisedAt }) =>
      [
        `${out.style('red', code)} ${subject}, since ${formatTime(raisedAt)}`,
        `  ${detail}`,
        `  ${action}`,
      ].join('\n'),
    )
    .join('\n');
}

function known<T>(value: T | null | undefined, format: (value: T) => string): string {
  return value === null || value === undefined ? '?' : format(value);
}
