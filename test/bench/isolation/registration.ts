import { fileURLToPath } from 'node:url';
import { takePortBlock } from '../../../services/site/port-block.ts';
import { ChildProgram } from '../../support/child-program.ts';
import type { SipAddress } from '../../support/clients/sip-address.ts';
import { aDomain } from '../../support/builders.ts';
import { domain } from '../../../services/model/domain.ts';
import { DualhomePair } from '../dualhome-pair.ts';
import { ownLoad } from '../registration/loads.ts';
import type { Batch, LoadResult } from '../registration/loads.ts';
import { caseOf, percentile } from '../report.ts';
import type { Case } from '../report.ts';
import type { Part } from './main.ts';

const name = "home registration beside the peer's processor";
const rounds = 5;
const registrations = 2_000;
const atATime = 4;
const floodPerSecond = 20_000;
const standby = 'processor-standby-c2';

/** What befalls the standby processor while devices of home register; disposed of, it is over. */
type Burden = {
  readonly name: string;
  readonly aim: number;
  readonly begin: (pair: DualhomePair) => Promise<AsyncDisposable>;
};

const burdens: readonly Burden[] = [
  { name: 'killed', aim: 1.2, begin: killed },
  { name: 'stopped', aim: 1.2, begin: stopped },
  { name: 'flooded', aim: 2, begin: flooded },
];

/**
 * The same devices of home refresh, four at a time, alone and while the standby processor is killed, stopped, or its
 * subscribers' domain flooded. A registration that fails ends the bench: the answers are the same.
 */
export const part: Part = {
  name,
  run: async ({ scale }) => {
    const count = Math.round(registrations * scale);
    await using pair = await DualhomePair.start(count);
    await pair.two.c2.put(domain, aDomain('c2.example'));
    await using ports = await takePortBlock();
    const load = refreshes(pair.sites[0], { host: '127.0.0.1', port: ports.first }, count);
    // Binds the devices, and settles compilers and caches.
    for (let i = 0; i < 2; i += 1) await load();

    const alone: LoadResult[] = [];
    const burdened = new Map<Burden, LoadResult[]>(burdens.map((burden) => [burden, []]));
    for (let round = 1; round <= rounds; round += 1) {
      alone.push(await load());
      for (const [burden, results] of burdened) {
        await using _under = await burden.begin(pair);
        results.push(await load());
      }
      const all = [
        ['alone', alone],
        ...[...burdened].map(([burden, of]) => [burden.name, of] as const),
      ] as const;
      console.error(
        `round ${round}: ${all.map(([of, results]) => `${of} ${described(results.at(-1))}`).join('; ')}`,
      );
    }
    const cases = [...burdened].flatMap(([burden, results]) => casesOf(burden, results, alone));
    return { cases, processes: pair.memory.peaks };
  },
};

/** Registers every device once, with the CSeqs that follow the last ones. */
function refreshes(target: SipAddress, source: SipAddress, count: number): () => Promise<LoadResult> {
  const batch: Omit<Batch, 'sequence'> = { target, source, first: 1, count, atATime };
  let sequence = -9;
  return () => ownLoad({ ...batch, sequence: (sequence += 10) });
}

function casesOf(
  burden: Burden,
  results: readonly LoadResult[],
  alone: readonly LoadResult[],
): readonly Case[] {
  return [50, 99].map((percent) => {
    const of = (figures: readonly LoadResult[]): readonly number[] =>
      figures.map(({ responseTimesMs }) => percentile(responseTimesMs, percent));
    const aim = percent === 99 ? burden.aim : null;
    return caseOf(`${name}, ${burden.name}, p${percent}`, 'ms', of(results), of(alone), aim);
  });
}

async function killed({ two: { c1 } }: DualhomePair): Promise<AsyncDisposable> {
  const pid = await c1.kill(standby);
  return {
    [Symbol.asyncDispose]: async () => {
      await c1.waitForRestart(standby, pid);
      await c1.waitServing(standby);
    },
  };
}

async function stopped({ two: { c1 } }: DualhomePair): Promise<AsyncDisposable> {
  await c1.kill(standby, 'SIGSTOP');
  return {
    [Symbol.asyncDispose]: async () => {
      await c1.kill(standby, 'SIGCONT');
      await c1.waitServing(standby);
    },
  };
}

/** From another address, without credentials, each of another subscriber of the peer. */
async function flooded({ sites: [{ port }] }: DualhomePair): Promise<AsyncDisposable> {
  const path = fileURLToPath(new URL('../../support/programs/sip-flood.ts', import.meta.url));
  const options = { port, source: '127.0.0.2', domain: 'c2.example', 'per-second': floodPerSecond };
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
  const flood = new ChildProgram(path, { args });
  await flood.saw('sent');
  return flood;
}

function described(result: LoadResult | undefined): string {
  const times = result?.responseTimesMs ?? [];
  return `p50 ${percentile(times, 50).toFixed(1)} p99 ${percentile(times, 99).toFixed(1)} ms`;
}
