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
  { head: 'DIRECTION' },
  { head: 'STATE' },
  { head: 'HEAD', right: true },
  { head: 'APPLIED', right: true },
  { head: 'BEHIND', right: true },
  { head: 'LATE BY', right: true },
  { head: 'UNSENT', right: true },
  { head: 'LAST PROOF' },
];

/** One screen: the link, both directions, what would be lost, alarms and warnings. What is not known shows as "?". */
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
      directions.map((direction) => describeLoss(out, direction)).join('\n'),
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
    ...(trouble === null ? [] : [`${trouble.code}: ${trouble.detail} ${trouble.action}`]),
  ];
  return facts.join(', ');
}

function rowOf(out: Output, direction: Direction, at: string): readonly string[] {
  const { from, to, health, head, applied, eventsBehind, secondsBehind, bytesUnsent } = direction;
  return [
    `${from} -> ${to}`,
    styled(out, health),
    known(head?.seq, formatCount),
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

function describeLoss(out: Output, { from, loss, heardSecondsAgo }: Direction): string {
  if (!loss) return `If ${from} died now: not known`;
  const age =
    heardSecondsAgo !== null && heardSecondsAgo > 3
      ? ` (as of ${formatDuration(heardSecondsAgo * 1_000)} ago)`
      : '';
  if (loss.changes === 0) return `If ${from} died now: nothing lost${age}`;
  const oldest = formatDuration(loss.oldestSeconds * 1_000);
  return out.style(
    'yellow',
    `If ${from} died now: ${formatQuantity(loss.changes, 'change')} lost, oldest ${oldest}${age}`,
  );
}

function troubleOf(out: Output, { from, to, trouble }: Direction): readonly string[] {
  if (!trouble) return [];
  return [`${out.style('red', `${from} -> ${to}: ${trouble.code}`)} ${trouble.detail}\n${trouble.action}`];
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
