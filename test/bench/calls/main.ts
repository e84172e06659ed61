import { missing } from '../../support/clients/installed.ts';
import type { BenchOptions } from '../main.ts';
import { KamailioPair } from '../kamailio-pair.ts';
import { percentile } from '../report.ts';
import type { Report } from '../report.ts';
import type { SitePair } from '../site-pair.ts';
import { Callees } from './callees.ts';
import { postDialDelaysMs, throughput } from './measure.ts';
import type { CallPath } from './measure.ts';

const calls = 3_000;
const delayPerSecond = 200;
const delaySeconds = 5;
const callees = 20;
/** Where the third party is that calls: nobody else has this address. */
const callerHost = '127.0.0.3';

const ways = ['one site', 'across two sites'] as const;

/** Figures of all rounds. */
type Figures = {
  readonly perSecond: number[];
  readonly p50Ms: number[];
  readonly p99Ms: number[];
};

/** Calls through one site and across two, beside Kamailio, which takes turns with the same callers and callees. */
export async function run({ rounds, scale, only }: BenchOptions): Promise<Report> {
  const absent = missing('kamailio', 'sipp');
  if (absent) throw new Error(absent);
  await using stack = new AsyncDisposableStack();
  const systems: readonly SitePair[] = [stack.use(await KamailioPair.start('memory', 2 * callees))];
  for (const way of ways.filter((each) => each.includes(only))) {
    for (const system of systems) await measureAll(stack, system, way, { rounds, scale });
  }
  return { bench: 'calls', cases: [], processes: [] };
}

async function measureAll(
  stack: AsyncDisposableStack,
  system: SitePair,
  way: (typeof ways)[number],
  { rounds, scale }: { readonly rounds: number; readonly scale: number },
): Promise<Figures> {
  const path = await openPath(stack, system, way);
  const figures: Figures = { perSecond: [], p50Ms: [], p99Ms: [] };
  for (let round = 1; round <= rounds; round += 1) {
    const { perSecond, cpuS } = await throughput(path, Math.round(calls * scale), system.processes);
    const delaysMs = await postDialDelaysMs(path, delayPerSecond, delaySeconds);
    const [p50Ms, p99Ms] = [percentile(delaysMs, 50), percentile(delaysMs, 99)];
    figures.perSecond.push(perSecond);
    figures.p50Ms.push(p50Ms);
    figures.p99Ms.push(p99Ms);
    const cpu = [...cpuS].map(([name, s]) => `${name} ${s.toFixed(2)}`).join(', ');
    console.error(
      `${way}, round ${round}, ${system.name}: ${perSecond.toFixed(0)} calls/s; ` +
        `INVITE to 180 at ${delayPerSecond}/s: p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)} ms ` +
        `(${delaysMs.length} calls); CPU s per 10,000: ${cpu}`,
    );
  }
  return figures;
}

async function openPath(
  stack: AsyncDisposableStack,
  { sites }: SitePair,
  way: (typeof ways)[number],
): Promise<CallPath> {
  const site = sites[0];
  const [home, first] = way === 'one site' ? [site, 1] : [sites[1], callees + 1];
  const called = stack.use(await Callees.start(home, first, callees));
  await called.reachableThrough(site, callerHost);
  return { callerHost, site, callees: called.users };
}
