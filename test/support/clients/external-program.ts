import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit } from '../child-program.ts';
import { Guard } from '../guard.ts';
import type { NetworkNamespace } from '../network-namespace.ts';
import { installed, missing } from './installed.ts';
import type { ForeignProgram } from './installed.ts';

const outputMaxChars = 200_000;
const tailChars = 4_000;
const waitMs = 20_000;
const pollMs = 10;

export type ExternalProgramOptions = {
  readonly args: readonly string[];
  /** Its working directory and home. */
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Runs it with the network of this namespace. */
  readonly network?: NetworkNamespace | undefined;
};

/**
 * A program of somebody else in a process group of its own.
 *
 * Invariant: nothing of it runs after its disposal, nor after the end of the process that started it.
 */
export class ExternalProgram implements AsyncDisposable {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #guard: Guard;
  readonly #exit: Promise<Exit>;
  #output = '';
  /** Characters printed before what is kept, and those that `sawNext` has gone past. */
  #dropped = 0;
  #passed = 0;

  constructor(name: ForeignProgram, { args, directory, env = {}, network }: ExternalProgramOptions) {
    const path = installed(name);
    if (!path) throw new Error(missing(name));
    this.#name = name;
    const [command = '', ...rest] = network?.inside([path, ...args]) ?? [path, ...args];
    this.#process = spawn(command, rest, {
      cwd: directory,
      detached: true,
      env: { ...process.env, HOME: directory, ...env },
    });
    this.#guard = new Guard('kill -KILL -- "-$1"', String(this.pid));
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        const output = this.#output + chunk.toString();
        this.#output = output.slice(-outputMaxChars);
        this.#dropped += output.length - this.#output.length;
      });
    }
    this.#process.stdin?.on('error', () => undefined);
    this.#exit = once(this.#process, 'close').then(([code, signal]) => ({ code, signal }));
  }

  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error(`${this.#name} did not start`);
    return pid;
  }

  /** What it printed, the newest of it. */
  get output(): string {
    return this.#output;
  }

  /** Settles when it has ended. */
  get exit(): Promise<Exit> {
    return this.#exit;
  }

  /** Types a line into it. */
  type(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Signals the whole group. */
  kill(signal: NodeJS.Signals): void {
    if (this.#process.exitCode === null && this.#process.signalCode === null) process.kill(-this.pid, signal);
  }

  /** Waits for a condition; fails when the program ends before, or after 20 s, with the end of its output. */
  async waitFor(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + waitMs;
    while (!(await condition())) {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null)
        throw this.failure(`ended before ${what}`);
      if (performance.now() > deadlineMs) throw this.failure(`waited ${waitMs} ms for ${what}`);
      await sleep(pollMs);
    }
  }

  /** Waits until it has printed this. */
  async saw(pattern: RegExp): Promise<void> {
    await this.waitFor(String(pattern), () => pattern.test(this.#output));
  }

  /** Waits until it has printed this after what the last one waited for. */
  async sawNext(pattern: RegExp): Promise<void> {
    await this.waitFor(String(pattern), () => {
      const from = Math.max(0, this.#passed - this.#dropped);
      const found = pattern.exec(this.#output.slice(from));
      if (found) this.#passed = this.#dropped + from + found.index + found[0].length;
      return found !== null;
    });
  }

  failure(what: string): Error {
    return new Error(`${this.#name} ${what}\n${this.#output.slice(-tailChars)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGKILL');
    await this.#exit;
    await this.#guard[Symbol.asyncDispose]();
  }
}
