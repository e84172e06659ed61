import { takePortBlock } from '../../../services/site/port-block.ts';
import { KamailioPair } from '../kamailio-pair.ts';
import type { Case } from '../report.ts';
import type { SitePair } from '../site-pair.ts';
import { casesOf } from './cases.ts';
import type { Measured } from './cases.ts';
import { ownLoad } from './loads.ts';
import { describe, measure } from './measure.ts';
import type { Figures } from './measure.ts';
import { nameOf } from './runs.ts';
import type { Run } from './runs.ts';

/** Compilers and caches of everybody have settled after these. */
const warmUp = 5_000;

export type Plan = {
  readonly runs: readonly Run[];
  readonly rounds: number;
  /** Registrations of a run. */
  readonly count: number;
};

/** How many users the runs take. */
export const usersOf = ({ runs, rounds, count }: Plan): number => warmUp + rounds * runs.length * count;

/** Ours and two pairs of Kamailios take turns with the same users and the same generators. */
export async function besideKamailio(ours: SitePair, plan: Plan): Promise<readonly Case[]> {
  await using writtenThrough = await KamailioPair.start('database', usersOf(plan));
  await using inMemory = await KamailioPair.start('memory', usersOf(plan));
  const measured = await measureAll([ours, writtenThrough, inMemory], plan);
  return casesOf(measured, ours, { writtenThrough, inMemory });
}

async function measureAll(systems: readonly SitePair[], { runs, rounds, count }: Plan): Promise<Measured> {
  await using ports = await takePortBlock();
  // The same for a refresh as before it: a device does not move its port.
  const source = { host: '127.0.0.1', port: ports.first };
  const warming = { source, first: 1, count: warmUp, atATime: 50, sequence: 1 };
  for (const { sites } of systems) await ownLoad({ ...warming, target: sites[0] });

  const measured = new Map(runs.map((run) => [run, new Map<SitePair, Figures[]>()]));
  let [first, sequence] = [warmUp + 1 - count, 1];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [run, bySystem] of measured) {
      if (run.kind === 'new') first += count;
      sequence += 10;
      for (const system of systems) {
        const figures = await measure(system, run, { source, first, count, sequence });
        bySystem.set(system, [...(bySystem.get(system) ?? []), figures]);
        console.error(`${nameOf(run)}, round ${round}, ${system.name}: ${describe(figures)}`);
      }
    }
  }
  return measured;
}
