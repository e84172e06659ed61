import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const bin = join(import.meta.dirname, '../../services/cli/bin.js');

const waitMs = 60_000;

/** The `dualhome` command as a process of its own. */
export class Dualhome implements AsyncDisposable {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  /** `input` is what it reads from standard input. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, input = '') {
    this.#child = spawn(process.execPath, [bin, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    // A command that reads nothing may have ended before it is written to.
    this.#child.stdin?.on('error', () => undefined).end(input);
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  /** Its exit code, once all it printed was read. */
  async code(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  /** Waits until it has printed a whole line; returns it. */
  async firstLine(): Promise<string> {
    const deadline = performance.now() + waitMs;
    while (!this.stdout.includes('\n')) {
      if (this.#child.exitCode !== null || performance.now() > deadline) throw new Error(this.stderr);
      await sleep(20);
    }
    return this.stdout.split('\n')[0] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.code();
  }
}

/** Runs a verb to its end; `json` is what it printed with --json. */
export async function dualhome(...args: readonly string[]) {
  await using command = new Dualhome(args);
  const code = await command.code();
  const { stdout, stderr } = command;
  const json = (): unknown => {
    if (stdout === '') throw new Error(`${args.join(' ')} printed nothing; exit code ${code}\n${stderr}`);
    return JSON.parse(stdout);
  };
  return { code, stdout, stderr, json };
}
