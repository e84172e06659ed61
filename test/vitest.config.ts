import { defineConfig } from 'vitest/config';

/** Projects by kind; `unit` and `contract` need nothing but Node, the others start real parts. */
const project = (name: string, testTimeout: number, extra: object = {}) => ({
  test: {
    name,
    root: import.meta.dirname,
    include: [`${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: 60_000,
    ...extra,
  },
});

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      project('unit', 10_000),
      project('contract', 20_000),
      project('integration', 60_000, { pool: 'forks', globalSetup: ['./support/global-setup.ts'] }),
      project('system', 120_000, { pool: 'forks', fileParallelism: false }),
      project('fault', 180_000, {
        pool: 'forks',
        fileParallelism: false,
        globalSetup: ['./support/global-setup.ts'],
      }),
    ],
  },
});
