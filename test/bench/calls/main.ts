import { missing } from '../../support/clients/installed.ts';
import { addThirdParty } from '../../support/clients/sip-sites.ts';
import { DualhomePair } from '../dualhome-pair.ts';
import { KamailioPair } from '../kamailio-pair.ts';
import type { BenchOptions } from '../main.ts';
import { caseOf } from '../report.ts';
import type { Case, Report } from '../report.ts';
import type { SitePair } from '../site-pair.ts';
import { describe, measure, openPath, ways } from './measure.ts';
import type { Figures, Way } from './measure.ts';

const callsOfRun = 3_000;
const callees = 20;
/** Where the third party is that calls: nobody else has this address. */
const callerHost = '127.0.0.3';

type Measured = ReadonlyMap<Way, ReadonlyMap<SitePair, readonly Figures[]>>;

/** Calls through one site and across two, beside Kamailio, which takes turns with the same callers and callees. */
export async function run({ rounds, scale, only }: BenchOptions): Promise<Report> {
  const absent = missing('kamailio', 'sipp');
  if (absent) throw new Error(absent);
  await using kamailio = await KamailioPair.start('memory', 2 * callees);
  await using ours = await DualhomePair.start(2 * callees);
  for (const site of [ours.two.c1, ours.two.c2]) await addThirdParty(site, 'c3', callerHost);
  const chosen = ways.filter((way) => way.includes(only));
  const measured = await measureAll([ours, kamailio], chosen, {
    rounds,
    calls: Math.round(callsOfRun * scale),
  });
  return { bench: 'calls', cases: casesOf(measured, ours, kamailio), processes: ours.memory.peaks };
}

async function measureAll(
  systems: readonly SitePair[],
  chosen: readonly Way[],
  { rounds, calls }: { readonly rounds: number; readonly calls: number },
): Promise<Measured> {
  const measured = new Map(chosen.map((way) => [way, new Map<SitePair, Figures[]>()]));
  for (const [way, bySystem] of measured) {
    await using stack = new AsyncDisposableStack();
    for (const system of systems) bySystem.set(system, []);
    const paths = new Map<SitePair, Awaited<ReturnType<typeof openPath>>>();
    for (const system of systems)
      paths.set(system, stack.use(await openPath(system, way, { callerHost, callees })));
    for (let round = 1; round <= rounds; round += 1) {
      for (const [system, path] of paths) {
        const figures = await measure(path, calls, system.processes);
        bySystem.get(system)?.push(figures);
        console.error(`${way}, round ${round}, ${system.name}: ${describe(figures)}`);
      }
    }
  }
  return measured;
}

type Figure = 'perSecond' | 'p50Ms' | 'p99Ms';

function casesOf(measured: Measured, ours: SitePair, kamailio: SitePair): readonly Case[] {
  const of = (system: SitePair, way: Way, figure: Figure): number[] =>
    (measured.get(way)?.get(system) ?? []).map((each) => each[figure]);
  const beside = (way: Way, name: string, figure: Figure, aim: number | null): Case => {
    const [unit, better] = figure === 'perSecond' ? (['1/s', 'higher'] as const) : (['ms', 'lower'] as const);
    const title = `${name}, ${way}, beside Kamailio`;
    return caseOf(title, unit, of(ours, way, figure), of(kamailio, way, figure), aim, better);
  };
  const longer = (name: string, figure: Figure): Case =>
    caseOf(
      `${name}, across two sites, beside one site`,
      'ms',
      of(ours, 'across two sites', figure),
      of(ours, 'one site', figure),
      1.5,
    );
  const has = (way: Way): boolean => measured.has(way);
  return [
    ...(has('one site')
      ? [
          beside('one site', 'calls', 'perSecond', 0.5),
          beside('one site', 'post-dial delay p50', 'p50Ms', null),
          beside('one site', 'post-dial delay p99', 'p99Ms', 2),
        ]
      : []),
    ...(has('across two sites') ? [beside('across two sites', 'calls', 'perSecond', null)] : []),
    ...(has('one site') && has('across two sites')
      ? [longer('post-dial delay p50', 'p50Ms'), longer('post-dial delay p99', 'p99Ms')]
      : []),
  ];
}
