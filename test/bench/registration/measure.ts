import { CpuMeter, untilIdle } from '../cpu-meter.ts';
import { percentile } from '../report.ts';
import type { Batch } from './loads.ts';
import { loadOf } from './runs.ts';
import type { Run } from './runs.ts';
import type { SitePair } from '../site-pair.ts';

/** What one run at one system came to. */
export type Figures = {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly findableP50Ms: number;
  readonly findableP99Ms: number;
  readonly retransmissions: number;
  /** CPU seconds per 10,000 registrations, by process; the generator among them. */
  readonly cpuS: ReadonlyMap<string, number>;
};

export async function measure(
  system: SitePair,
  run: Run,
  batch: Omit<Batch, 'target' | 'atATime' | 'finder'>,
): Promise<Figures> {
  const meter = new CpuMeter(system.processes);
  const finder = run.findable ? system.finder : undefined;
  const result = await loadOf(run)({ ...batch, target: system.sites[0], atATime: run.atATime, finder });
  await untilIdle(system.processes);
  const per10k = (seconds: number): number => (seconds / batch.count) * 10_000;
  return {
    perSecond: batch.count / (result.elapsedMs / 1000),
    p50Ms: percentile(result.responseTimesMs, 50),
    p99Ms: percentile(result.responseTimesMs, 99),
    findableP50Ms: percentile(result.findableMs, 50),
    findableP99Ms: percentile(result.findableMs, 99),
    retransmissions: result.retransmissions,
    cpuS: new Map(
      [...meter.seconds(), ['generator', result.cpuS] as const].map(([name, s]) => [name, per10k(s)]),
    ),
  };
}

export function describe(figures: Figures): string {
  const { perSecond, p50Ms, p99Ms, findableP50Ms, findableP99Ms, retransmissions, cpuS } = figures;
  return [
    `${perSecond.toFixed(0)}/s`,
    `p50 ${p50Ms.toFixed(1)} p99 ${p99Ms.toFixed(1)} ms`,
    ...(Number.isNaN(findableP50Ms)
      ? []
      : [`findable p50 ${findableP50Ms.toFixed(1)} p99 ${findableP99Ms.toFixed(1)} ms`]),
    ...(retransmissions > 0 ? [`${retransmissions} retransmissions`] : []),
    `CPU s per 10,000: ${[...cpuS].map(([name, s]) => `${name} ${s.toFixed(2)}`).join(', ')}`,
  ].join('; ');
}
