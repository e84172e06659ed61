import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSecondsOf } from './cpu.ts';
import type { CpuSeconds } from './cpu.ts';

/** Names of what is measured, each with the process its tree begins at. */
export type ProcessRoots = ReadonlyMap<string, number>;

/** Measures what process trees spend from now on. */
export class CpuMeter {
  readonly #roots: ProcessRoots;
  readonly #before: CpuSeconds;

  constructor(roots: ProcessRoots) {
    this.#roots = roots;
    this.#before = spent(roots);
  }

  /** CPU seconds since its construction. */
  seconds(): CpuSeconds {
    return new Map(
      [...spent(this.#roots)].map(([name, seconds]) => [name, seconds - (this.#before.get(name) ?? 0)]),
    );
  }
}

const idleLookMs = 250;
/** Of one processor; sites at rest send heartbeats and look at their logs. */
const idleShareMax = 0.3;
const idleWaitMsMax = 20_000;

/** Waits until none of them works off anything any more, so that it does not take time from what is measured next. */
export async function untilIdle(roots: ProcessRoots): Promise<void> {
  const deadlineMs = performance.now() + idleWaitMsMax;
  while (performance.now() < deadlineMs) {
    const meter = new CpuMeter(roots);
    await sleep(idleLookMs);
    const spentS = [...meter.seconds().values()].reduce((sum, seconds) => sum + seconds, 0);
    if (spentS < (idleLookMs / 1000) * idleShareMax) return;
  }
}

const spent = (roots: ProcessRoots): CpuSeconds =>
  new Map([...roots].map(([name, pid]) => [name, cpuSecondsOf(pid)]));
