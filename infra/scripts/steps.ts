import { spawnSync } from 'node:child_process';

/** One named command of a script; `args` run with the project's own Node and tools. */
export type Step = { readonly name: string; readonly command: readonly string[] };

/**
 * Runs the steps one after the other, prints the time each took, and stops at the first failure
 * with its exit code.
 */
export function runSteps(steps: readonly Step[]): void {
  for (const { name, command } of steps) {
    const startedMs = performance.now();
    const [program = '', ...args] = command;
    const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    if (error) throw error;
    console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
    if (status !== 0) process.exit(status ?? 1);
  }
}

/** What `npm run check` runs: everything that needs no database. */
export const checkSteps: readonly Step[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--quiet'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'unused', command: ['knip', '--config', 'infra/knip.json'] },
  { name: 'unit and contract', command: vitest('unit', 'contract') },
];

/** A vitest run of the named projects. */
export function vitest(...projects: readonly string[]): readonly string[] {
  return ['vitest', 'run', '--config', 'test/vitest.config.ts', ...projects.flatMap((p) => ['--project', p])];
}
