import type { Reporter, TestModule } from 'vitest/node';

/** Says at the end of a run what did not run and why, and as its last line how many tests there were. */
export class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const results = tests.map((test) => test.result());
    const skipped = results.filter(({ state }) => state === 'skipped');
    const counts = new Map<string, number>();
    for (const result of skipped) {
      const reason = ('note' in result && result.note) || 'not selected';
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    const reasons = [...counts].map(([reason, count]) => `${count} (${reason})`);
    const count = (wanted: string): number => results.filter(({ state }) => state === wanted).length;
    write(`Skipped: ${reasons.join(', ') || 'nothing'}`);
    write(`${count('passed')} passed, ${count('failed')} failed, ${skipped.length} skipped`);
  }
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
