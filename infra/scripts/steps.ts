import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** One named command of a script; run with the project's own Node and tools. */
export type Step = { readonly name: string; readonly command: readonly string[] };

/**
 * Runs groups of steps one after the other, the steps of a group side by side, and ends with the exit code of the first
 * that failed. A step alone in its group writes as it goes; of the others only what a failure wrote is shown.
 */
export async function runSteps(groups: readonly (readonly Step[])[]): Promise<void> {
  for (const group of groups) {
    const statuses = await Promise.all(
      group.map((step) => (group.length === 1 ? runAlone(step) : run(step))),
    );
    const failed = statuses.find((status) => status !== 0);
    if (failed !== undefined) process.exit(failed);
  }
}

async function runAlone({ command: [program = '', ...args] }: Step): Promise<number> {
  const [status] = await once(spawn(program, args, { stdio: 'inherit' }), 'exit');
  return status ?? 1;
}

async function run({ name, command: [program = '', ...args] }: Step): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [[status], ...output] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ]);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (status !== 0) process.stdout.write(output.join(''));
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  return status ?? 1;
}

/** What needs nothing to be run. */
export const staticChecks: readonly Step[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--quiet'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'unused', command: ['knip', '--config', 'infra/knip.json'] },
];

/** A vitest run of the named projects; of all where none is named. */
export function tests(...projects: readonly string[]): Step {
  const command = ['vitest', 'run', '--config', 'test/vitest.config.ts'];
  return { name: 'tests', command: [...command, ...projects.flatMap((project) => ['--project', project])] };
}
