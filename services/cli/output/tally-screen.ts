import type { Tally, Times } from '../../simulator/tally.ts';
import { formatCount, formatDuration, formatQuantity } from './format.ts';
import { formatFacts } from './table.ts';

/** One line on how things stand. */
export function describeTally({ atPrimary, atBackup, nowhere, moves, refused }: Tally): string {
  const parts = [
    `primary ${formatCount(atPrimary)}`,
    `backup ${formatCount(atBackup)}`,
    `nowhere ${formatCount(nowhere)}`,
    formatQuantity(moves.count, 'move'),
    ...Object.entries(refused).map(([status, count]) => `${formatCount(count)} x ${status}`),
  ];
  return parts.join('   ');
}

/** What happened, for the end. */
export function renderTally(tally: Tally): string {
  const { devices, atPrimary, atBackup, nowhere, registrations, refreshes, unanswered } = tally;
  const { refused, registering, moves } = tally;
  return formatFacts([
    ['Devices', formatCount(devices)],
    ['At the primary', formatCount(atPrimary)],
    ['At the backup', formatCount(atBackup)],
    ['Nowhere', formatCount(nowhere)],
    ['Registrations', formatCount(registrations)],
    ['Refreshes', formatCount(refreshes)],
    ['Each registration took', describeTimes(registering)],
    ['Moves', `${formatCount(moves.toBackup)} to the backup, ${formatCount(moves.toPrimary)} to the primary`],
    ['Each move took', describeTimes(moves)],
    ['Refused', Object.keys(refused).length === 0 ? undefined : JSON.stringify(refused)],
    ['Unanswered', unanswered === 0 ? undefined : formatCount(unanswered)],
  ]);
}

function describeTimes({ count, p50Ms, p99Ms, maxMs }: Times): string | undefined {
  if (count === 0) return undefined;
  return `${formatDuration(p50Ms)} (median), ${formatDuration(p99Ms)} (99 of 100), ${formatDuration(maxMs)} at most`;
}
