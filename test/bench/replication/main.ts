import type { BenchOptions } from '../main.ts';
import { caseOf, percentile } from '../report.ts';
import type { Case, Report } from '../report.ts';
import { Dualhome } from './dualhome.ts';
import { LogicalReplication } from './logical-replication.ts';
import type { ReplicatedSystem } from './system.ts';

const clients = 8;
const perSecond = 500;
const lagSeconds = 10;

type Measure = {
  readonly name: string;
  readonly unit: string;
  readonly aim: number;
  /** One or several figures of one round. */
  readonly figures: (system: ReplicatedSystem, scale: number) => Promise<readonly number[]>;
};

const seconds = async (ms: Promise<number>): Promise<readonly number[]> => [(await ms) / 1000];

/** Measured in this order in each round, ours and the peer's in turn. */
const measures: readonly Measure[] = [
  {
    name: 'initial copy of 1,000,000 subscribers',
    unit: 's',
    aim: 0.6,
    figures: (system) => seconds(system.initialCopyMs()),
  },
  {
    name: '200,000 rows in one bulk import',
    unit: 's',
    aim: 0.8,
    figures: (system, scale) => seconds(system.bulkMs(200_000 * scale)),
  },
  {
    name: '40,000 single changes by 8 clients',
    unit: 's',
    aim: 0.6,
    figures: (system, scale) => seconds(system.singlesMs(40_000 * scale, clients)),
  },
  { name: 'lag at 500/s, p50', unit: 'ms', aim: 2, figures: lag(50) },
  { name: 'lag at 500/s, p99', unit: 'ms', aim: 1, figures: lag(99) },
];

function lag(percent: number): Measure['figures'] {
  return async (system) => [percentile(await system.lagsMs(perSecond, lagSeconds), percent)];
}

/**
 * This project beside PostgreSQL's logical replication, in one run on one machine: both are set up,
 * then each measure is taken in turn, `rounds` times. Logical replication is shown with the
 * subscriber's synchronous_commit off (its default) and, where asked for, on.
 */
export async function run({ rounds, scale, only }: BenchOptions): Promise<Report> {
  const rows = Math.round(1_000_000 * scale);
  const cases: Case[] = [];
  await using ours = await Dualhome.start(rows);
  for (const synchronousCommit of [false, true]) {
    await using peer = await LogicalReplication.start(rows, { synchronousCommit });
    for (const measure of measures.filter(({ name }) => name.includes(only))) {
      const figures = { ours: [] as number[], peer: [] as number[] };
      for (let round = 1; round <= rounds; round += 1) {
        figures.peer.push(...(await measure.figures(peer, scale)));
        figures.ours.push(...(await measure.figures(ours, scale)));
        const [own, other] = [figures.ours.at(-1) ?? NaN, figures.peer.at(-1) ?? NaN];
        console.error(
          `${measure.name}, round ${round}: ours ${own.toFixed(2)}, peer ${other.toFixed(2)} ${measure.unit}`,
        );
      }
      const name = synchronousCommit ? `${measure.name} (peer synchronous_commit on)` : measure.name;
      cases.push(caseOf(name, measure.unit, figures.ours, figures.peer, measure.aim));
    }
  }
  const requests = await ours.singleRequestsMs(Math.round(40_000 * scale), clients);
  console.error(
    `one HTTP request per change: ${((40_000 * scale) / (requests / 1000)).toFixed(0)} changes/s`,
  );
  return { bench: 'replication', cases, processes: ours.peaks };
}
