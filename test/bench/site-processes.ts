import { readFileSync } from 'node:fs';
import type { TestSite } from '../support/test-site.ts';
import { cpuOfBench, cpuSecondsOf } from './cpu.ts';
import type { CpuSeconds } from './cpu.ts';
import type { ProcessPeak } from './report.ts';

const lookMs = 500;
const programs = /^(api|synchronizer|front|processor.*)$/;

/** Follows the processes of sites: the highest resident set (VmHWM) of every program, over restarts, and CPU time. */
export class SiteProcesses implements Disposable {
  readonly #sites: readonly TestSite[];
  readonly #peaks = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(sites: readonly TestSite[]) {
    this.#sites = sites;
    this.#timer = setInterval(() => {
      for (const site of sites) this.#look(site).catch(() => undefined);
    }, lookMs);
  }

  get peaks(): readonly ProcessPeak[] {
    return [...this.#peaks]
      .map(([name, rssMaxMb]) => ({ name, rssMaxMb }))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Of every program and database server that runs. */
  async cpuSeconds(): Promise<CpuSeconds> {
    const seconds = new Map([['bench', cpuOfBench()]]);
    for (const site of this.#sites)
      for (const [unit, { pid }] of await site.processes())
        seconds.set(`${site.name} ${unit}`, cpuSecondsOf(pid));
    return seconds;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(site: TestSite): Promise<void> {
    const { pid: supervisor } = await site.state();
    this.#note(`${site.name} site`, supervisor);
    for (const [unit, { pid }] of await site.processes())
      if (programs.test(unit)) this.#note(`${site.name} ${unit}`, pid);
  }

  #note(name: string, pid: number): void {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
    this.#peaks.set(name, Math.max(this.#peaks.get(name) ?? 0, Math.round(kilobytes / 1024)));
  }
}
