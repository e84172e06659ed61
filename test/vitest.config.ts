import { defineConfig } from 'vitest/config';
import { ClosingReporter } from './support/closing-reporter.ts';
import { fastEnvironment } from './support/fast-environment.ts';

// For the processes of the run, which have this one's environment; what is set from outside stays.
for (const [name, value] of Object.entries(fastEnvironment())) process.env[name] ??= value;

/** Projects by kind; `unit` and `contract` need nothing but Node, the others start real parts. */
const project = (name: string, testTimeout: number, extra: object = {}) => ({
  test: {
    name,
    root: import.meta.dirname,
    include: [`${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: 60_000,
    // What is waited for comes, or the test ends: a slow machine is no failure.
    expect: { poll: { timeout: testTimeout } },
    ...extra,
  },
});

/** Come first, and share a process: what they load is most of their work. */
const quick = { sequence: { groupOrder: 0 }, isolate: false };
const real = { sequence: { groupOrder: 1 }, pool: 'forks', globalSetup: ['./support/global-setup.ts'] };

export default defineConfig({
  test: {
    // Files of real parts wait most of the time, for each other's processes and for clocks.
    maxWorkers: '100%',
    reporters: ['default', new ClosingReporter()],
    projects: [
      project('unit', 10_000, quick),
      project('contract', 20_000, quick),
      project('integration', 60_000, real),
      project('system', 120_000, real),
      project('fault', 180_000, real),
    ],
  },
});
