import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

export type ChildProgramOptions = {
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
};

/** How a child ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A real program in a process of its own, read by its standard error; killed at the end of the scope. */
export class ChildProgram implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<null, null, Readable>;
  readonly #exit: Promise<Exit>;
  readonly #waiters = new Set<() => void>();
  #output = '';

  constructor(path: string, { args = [], env = {} }: ChildProgramOptions = {}) {
    this.#process = spawn(process.execPath, [path, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#exit = once(this.#process, 'close').then(([code, signal]) => ({ code, signal }));
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString('utf8');
      for (const check of this.#waiters) check();
    });
  }

  /** Everything written to standard error so far. */
  get output(): string {
    return this.#output;
  }

  /** The messages of the log lines so far, in order. */
  get messages(): readonly string[] {
    const lines = this.#output.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  }

  /** Resolves when the output contains `text`; rejects when the child ends before. */
  async saw(text: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (this.#output.includes(text)) resolve();
    };
    this.#waiters.add(check);
    check();
    const ended = this.#exit.then(() => {
      if (!this.#output.includes(text)) throw new Error(`ended without "${text}":\n${this.#output}`);
    });
    await Promise.race([promise, ended]).finally(() => this.#waiters.delete(check));
  }

  /** Resolves when the child has stopped itself at a failpoint; `kill('SIGCONT')` lets it go on. */
  async pausedAt(failpoint: string): Promise<void> {
    await this.saw(`failpoint ${failpoint} pause\n`);
    // It announces the pause just before; a SIGCONT sent in between would be lost.
    while (!/^State:\tT/m.test(await readFile(`/proc/${this.#process.pid}/status`, 'utf8')))
      await setImmediate();
  }

  /** Stops reading, as when the reader of a pipe dies. */
  closeOutput(): void {
    this.#process.stderr.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  exit(): Promise<Exit> {
    return this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit;
  }
}
