import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

/**
 * Runs a shell script when the process that holds it ends, however that one ended, or at its disposal: a run that was
 * killed leaves nothing behind.
 */
export class Guard implements AsyncDisposable {
  readonly #process: ChildProcess;

  /** `script` finds its arguments in $1, $2, ... */
  constructor(script: string, ...args: readonly string[]) {
    this.#process = spawn('sh', ['-c', `cat > /dev/null\n${script}`, 'guard', ...args], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#process.unref();
    (this.#process.stdin as Socket).unref();
  }

  /** Runs the script now and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.ref();
    const gone = once(this.#process, 'exit');
    this.#process.stdin?.end();
    await gone;
  }
}
