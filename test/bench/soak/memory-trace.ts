import { readFileSync } from 'node:fs';
import type { TestSite } from '../../support/test-site.ts';
import { caseOf, median } from '../report.ts';
import type { Case } from '../report.ts';

const looksOfRun = 60;
const lookMsMin = 500;
const toldMs = 30_000;
/** Growth that is called none: a heap breathes. */
const growthMax = 1.1;

/** The resident set of each program of a site, looked at some 60 times in a run of so many seconds. */
export class MemoryTrace implements Disposable {
  readonly #mb = new Map<string, number[]>();
  readonly #timer: NodeJS.Timeout;
  #toldAtMs = performance.now();

  constructor(site: TestSite, seconds: number) {
    const lookMs = Math.max(lookMsMin, (seconds * 1_000) / looksOfRun);
    this.#timer = setInterval(() => void this.#look(site).catch(() => undefined), lookMs);
  }

  /** Whether memory is flat: the last third of the run beside the third before it, when all limits had been reached. */
  cases(): readonly Case[] {
    return [...this.#mb].map(([name, mb]) => {
      const third = Math.ceil(mb.length / 3);
      return caseOf(
        `memory of ${name}, last third beside the one before`,
        'MB',
        [median(mb.slice(-third))],
        [median(mb.slice(-2 * third, -third))],
        growthMax,
      );
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(site: TestSite): Promise<void> {
    for (const [unit, { pid }] of await site.processes()) {
      if (!/^(api|front|synchronizer|processor.*)$/.test(unit)) continue;
      const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      this.#mb.set(unit, [...(this.#mb.get(unit) ?? []), Math.round(Number(kilobytes) / 1024)]);
    }
    if (performance.now() - this.#toldAtMs < toldMs) return;
    this.#toldAtMs = performance.now();
    console.error([...this.#mb].map(([name, mb]) => `${name} ${mb.at(-1)} MB`).join(', '));
  }
}
