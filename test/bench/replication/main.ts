import { describeCpu } from '../cpu.ts';
import type { BenchOptions } from '../main.ts';
import { caseOf, percentile } from '../report.ts';
import type { Case, Report } from '../report.ts';
import { Dualhome } from './dualhome.ts';
import { LogicalReplication } from './logical-replication.ts';
import type { ReplicatedSystem } from './system.ts';

const clients = 8;
const perSecond = 500;
const lagSeconds = 10;

/** One figure of a measure, beside its aim; null where it is only reported. */
type Figure = { readonly name: string; readonly unit: string; readonly aim: number | null };

type Measure = {
  readonly figures: readonly Figure[];
  /** One value for each figure. */
  readonly take: (system: ReplicatedSystem) => Promise<readonly number[]>;
};

const seconds = async (ms: Promise<number>): Promise<readonly number[]> => [(await ms) / 1000];

/** Taken in this order, of as many rows and changes as `scale` leaves. */
function measuresOf(scale: number): readonly Measure[] {
  const rows = Math.round(1_000_000 * scale);
  const bulk = Math.round(200_000 * scale);
  const singles = Math.round(40_000 * scale);
  const of = (count: number): string => count.toLocaleString('en');
  return [
    {
      figures: [{ name: `initial copy of ${of(rows)} subscribers`, unit: 's', aim: 0.6 }],
      take: (system) => seconds(system.initialCopyMs()),
    },
    {
      figures: [{ name: `${of(bulk)} rows in one bulk import`, unit: 's', aim: 0.8 }],
      take: (system) => seconds(system.bulkMs(bulk)),
    },
    {
      figures: [{ name: `${of(singles)} single changes by ${clients} clients`, unit: 's', aim: 0.6 }],
      take: (system) => seconds(system.singlesMs(singles, clients)),
    },
    {
      figures: [{ name: `${of(singles)} single changes, a request each`, unit: 's', aim: null }],
      take: (system) => seconds(system.singleRequestsMs(singles, clients)),
    },
    {
      figures: [
        { name: `lag at ${perSecond}/s, p50`, unit: 'ms', aim: 2 },
        { name: `lag at ${perSecond}/s, p99`, unit: 'ms', aim: 1 },
      ],
      take: async (system) => {
        const lags = await system.lagsMs(perSecond, lagSeconds);
        return [percentile(lags, 50), percentile(lags, 99)];
      },
    },
  ];
}

/**
 * This project beside PostgreSQL's logical replication, in one run on one machine: each measure is
 * taken `rounds` times, of the one and the other in turn. Logical replication stands there twice, with the
 * subscriber's synchronous_commit as shipped (off) and on.
 */
export async function run({ rounds, scale, only }: BenchOptions): Promise<Report> {
  const rows = Math.round(1_000_000 * scale);
  await using ours = await Dualhome.start(rows);
  await using peer = await LogicalReplication.start(rows);
  const cases: Case[] = [];
  for (const measure of measuresOf(scale)) {
    if (!measure.figures.some(({ name }) => name.includes(only))) continue;
    const taken = { ours: [] as Values[], peer: [] as Values[], peerSynchronous: [] as Values[] };
    for (let round = 1; round <= rounds; round += 1) {
      await peer.use('off');
      taken.peer.push(await take('peer', measure, peer));
      taken.ours.push(await take('ours', measure, ours));
      await peer.use('on');
      taken.peerSynchronous.push(await take('peer, synchronous_commit on', measure, peer));
    }
    cases.push(...casesOf(measure, taken.ours, taken.peer, ''));
    cases.push(...casesOf(measure, taken.ours, taken.peerSynchronous, ' (peer synchronous_commit on)'));
  }
  return { bench: 'replication', cases, processes: ours.peaks };
}

type Values = readonly number[];

/** Also tells what it took, and how much CPU time of which process. */
async function take(name: string, { figures, take: measure }: Measure, system: ReplicatedSystem) {
  await system.settle();
  const before = await system.cpuSeconds();
  const values = await measure(system);
  const cpu = describeCpu(before, await system.cpuSeconds());
  const shown = figures.map(({ name: figure, unit }, i) => `${figure} ${values[i]?.toFixed(2)} ${unit}`);
  console.error(`${name}: ${shown.join(', ')}; CPU s: ${cpu}`);
  return values;
}

function casesOf(
  { figures }: Measure,
  ours: readonly Values[],
  peer: readonly Values[],
  suffix: string,
): Case[] {
  const ofFigure = (rounds: readonly Values[], i: number): number[] =>
    rounds.map((values) => values[i] ?? NaN);
  return figures.map(({ name, unit, aim }, i) =>
    caseOf(name + suffix, unit, ofFigure(ours, i), ofFigure(peer, i), aim),
  );
}
