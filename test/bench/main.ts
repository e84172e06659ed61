import { parseArgs } from 'node:util';
import { printReport } from './report.ts';
import type { Report } from './report.ts';

/** Every bench by name: `npm run bench -- NAME [--json] [--rounds N] [--rows N]`. */
const benches: Readonly<Record<string, () => Promise<{ run(options: BenchOptions): Promise<Report> }>>> = {
  replication: () => import('./replication/main.ts'),
  isolation: () => import('./isolation/main.ts'),
  registration: () => import('./registration/main.ts'),
  calls: () => import('./calls/main.ts'),
  soak: () => import('./soak/main.ts'),
};

export type BenchOptions = {
  /** Alternating rounds; the median of them is reported. */
  readonly rounds: number;
  /** Scales the case down for a quick look; the aims hold at 1. */
  readonly scale: number;
  /** Runs only the cases whose name contains this. */
  readonly only: string;
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const load = benches[positionals[0] ?? ''];
if (!load) {
  console.error(
    `Name a bench: ${Object.keys(benches).join(', ')}. Options: --json --rounds N --scale X --only TEXT`,
  );
  process.exit(2);
}
const bench = await load();
const report = await bench.run({
  rounds: Number(values.rounds),
  scale: Number(values.scale),
  only: values.only,
});
printReport(report, { json: values.json });
