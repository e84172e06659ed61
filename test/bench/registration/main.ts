import { takePortBlock } from '../../../services/site/port-block.ts';
import { missing } from '../../support/clients/installed.ts';
import type { BenchOptions } from '../main.ts';
import type { Report } from '../report.ts';
import { KamailioPair } from '../kamailio-pair.ts';
import { ownLoad } from './loads.ts';
import { describe, measure } from './measure.ts';
import type { Figures } from './measure.ts';
import { nameOf, runs } from './runs.ts';
import type { Run } from './runs.ts';
import type { SitePair } from '../site-pair.ts';

const registrationsOfRun = 5_000;
/** Compilers and caches of everybody have settled after these. */
const warmUp = 5_000;

/** Figures of all rounds by run and system. */
export type Measured = ReadonlyMap<Run, ReadonlyMap<SitePair, readonly Figures[]>>;

/**
 * Registrations with digest beside Kamailio's, in one run on one machine: the systems take turns with the same users
 * and the same generators.
 */
export async function run({ rounds, scale, only }: BenchOptions): Promise<Report> {
  const absent = missing('kamailio', 'sipp');
  if (absent) throw new Error(absent);
  const chosen = runs.filter((each) => nameOf(each).includes(only));
  const count = Math.round(registrationsOfRun * scale);
  const users = warmUp + rounds * chosen.length * count;
  await using stack = new AsyncDisposableStack();
  const systems: readonly SitePair[] = [
    stack.use(await KamailioPair.start('database', users)),
    stack.use(await KamailioPair.start('memory', users)),
  ];
  await measureAll(systems, chosen, { rounds, count });
  return { bench: 'registration', cases: [], processes: [] };
}

async function measureAll(
  systems: readonly SitePair[],
  chosen: readonly Run[],
  { rounds, count }: { readonly rounds: number; readonly count: number },
): Promise<Measured> {
  await using ports = await takePortBlock();
  // The same for a refresh as before it: a device does not move its port.
  const source = { host: '127.0.0.1', port: ports.first };
  const batch = { source, first: 1, count: warmUp, atATime: 50, sequence: 1 };
  for (const { sites } of systems) await ownLoad({ ...batch, target: sites[0] });

  const measured = new Map(chosen.map((each) => [each, new Map<SitePair, Figures[]>()]));
  let [first, sequence] = [warmUp + 1 - count, 1];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [each, bySystem] of measured) {
      if (each.kind === 'new') first += count;
      sequence += 10;
      for (const system of systems) {
        const figures = await measure(system, each, { source, first, count, sequence });
        bySystem.set(system, [...(bySystem.get(system) ?? []), figures]);
        console.error(`${nameOf(each)}, round ${round}, ${system.name}: ${describe(figures)}`);
      }
    }
  }
  return measured;
}
