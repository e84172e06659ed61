import type { BenchOptions } from '../main.ts';
import type { Report } from '../report.ts';

/** What is measured of one part of a site while another is burdened. */
export type Part = {
  readonly name: string;
  readonly run: (options: BenchOptions) => Promise<Omit<Report, 'bench'>>;
};

/** Every part; each brings up the sites it needs. */
const parts: readonly (() => Promise<{ readonly part: Part }>)[] = [
  () => import('./resync.ts'),
  () => import('./registration.ts'),
];

/** What load on a standby costs home (mission M2): ours is the figure under load, the peer's the same alone. */
export async function run(options: BenchOptions): Promise<Report> {
  const reports: Omit<Report, 'bench'>[] = [];
  for (const load of parts) {
    const { part } = await load();
    if (part.name.includes(options.only)) reports.push(await part.run(options));
  }
  return {
    bench: 'isolation',
    cases: reports.flatMap(({ cases }) => cases),
    processes: reports.flatMap(({ processes }) => processes),
  };
}
