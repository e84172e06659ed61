import { readFileSync } from 'node:fs';
import type { TestSite } from '../../support/test-site.ts';
import type { ProcessPeak } from '../report.ts';

const lookMs = 500;
const programs = /^(api|synchronizer|front|processor.*)$/;

/** Keeps the highest resident set (VmHWM) seen of every program, over restarts. */
export class PeakWatch implements Disposable {
  readonly #peaks = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(sites: readonly TestSite[]) {
    this.#timer = setInterval(() => {
      for (const site of sites) this.#look(site).catch(() => undefined);
    }, lookMs);
  }

  get peaks(): readonly ProcessPeak[] {
    return [...this.#peaks]
      .map(([name, rssMaxMb]) => ({ name, rssMaxMb }))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(site: TestSite): Promise<void> {
    for (const [unit, { pid }] of await site.processes()) {
      if (!programs.test(unit)) continue;
      const kilobytes = Number(
        /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0,
      );
      const name = `${site.name} ${unit}`;
      this.#peaks.set(name, Math.max(this.#peaks.get(name) ?? 0, Math.round(kilobytes / 1024)));
    }
  }
}
