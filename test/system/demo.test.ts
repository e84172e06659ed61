import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { bin } from '../support/dualhome.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const waitMs = 90_000;

/** `dualhome demo` in a process group of its own, as a terminal would start it. */
class Demo implements AsyncDisposable {
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(...args: readonly string[]) {
    this.#child = spawn(process.execPath, [bin, 'demo', ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  get output(): string {
    return this.#stdout;
  }

  async waitFor(text: string): Promise<void> {
    const deadline = performance.now() + waitMs;
    while (!this.#stdout.includes(text)) {
      if (this.#child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`no "${text}" in:\n${this.#stdout}\n${this.#stderr}`);
      }
      await sleep(50);
    }
  }

  /** Signals the whole group, as Ctrl-C in a terminal does. */
  signal(signal: NodeJS.Signals): void {
    process.kill(-(this.#child.pid ?? 0), signal);
  }

  /** Waits for its end. @throws what it printed, unless it ended well */
  async succeeds(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    if (this.#child.exitCode === 0) return;
    throw new Error(`exit code ${this.#child.exitCode}\n${this.#stdout}\n${this.#stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.signal('SIGINT');
      await once(this.#child, 'exit');
    }
  }
}

/** Command lines of processes that mention a directory. */
function processesOf(directory: string): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^[0-9]+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes(directory) ? [line] : [];
    } catch {
      return [];
    }
  });
}

async function waitForNoProcess(directory: string): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (processesOf(directory).length > 0) {
    if (performance.now() > deadline) throw new Error(processesOf(directory).join('\n'));
    await sleep(50);
  }
}

/** Every call of the tour, with the sites it goes by: MISSION.md M15 and what surrounds it. */
const callPaths = {
  'call-home': 'A1 > c1 > A2',
  'call-across': 'A1 > c1 > c2 > A3',
  'call-out': 'A4 > c2 > c3 > A5',
  'call-b-a1-a2': 'A1 > c2 > c1 > A2',
  'call-b-a2-a1': 'A2 > c1 > c2 > A1',
  'call-b-a3-a1': 'A3 > c2 > A1',
  'call-b-a5-a1': 'A5 > c3 > c1 > c2 > A1',
  'call-a-a1-a2': 'A1 > c2 > A2',
  'call-a-a2-a1': 'A2 > c2 > A1',
  'call-a-a3-a1': 'A3 > c2 > A1',
  'call-a-a5-a1': 'A5 > c3 > c2 > A1',
  'call-afterwards-a5-a1': 'A5 > c3 > c1 > A1',
  'call-afterwards-a3-a2': 'A3 > c2 > c1 > A2',
};

const stepNames = [
  ['make', 'start', 'link', 'sample', 'standby', 'bootstrap', 'live-changes', 'devices', 'call-setup'],
  ['call-home', 'call-across', 'call-out'],
  ['call-b', 'call-b-a1-a2', 'call-b-a2-a1', 'call-b-a3-a1', 'call-b-a5-a1'],
  ['link-cut', 'changes-while-cut', 'link-healed', 'resync', 'verification'],
  ['site-lost', 'devices-moved', 'call-a', 'call-a-a1-a2', 'call-a-a2-a1', 'call-a-a3-a1', 'call-a-a5-a1'],
  ['site-back', 'devices-home', 'call-afterwards', 'call-afterwards-a5-a1', 'call-afterwards-a3-a2', 'stop'],
].flat();

describe('the tour', () => {
  it('runs without a terminal, proves what it shows, and leaves nothing behind', async () => {
    const before = new Set(await readdir(tmpdir()));
    await using demo = new Demo('--once', '--json');
    await demo.succeeds();
    const lines = demo.output.trim().split('\n');
    const result = JSON.parse(lines.at(-1) ?? '') as {
      ok: boolean;
      steps: { name: string; ok: boolean; ms: number }[];
      positions: object[];
    };
    expect(result.ok).toBe(true);
    expect(result.steps.map(({ name }) => name)).toEqual(stepNames);
    expect(result.steps).toContainEqual(
      expect.objectContaining({
        name: 'verification',
        verified: {
          'c1 -> c2': expect.objectContaining({ equal: true, rows: 10_008 }),
          'c2 -> c1': expect.objectContaining({ equal: true, rows: 10_008 }),
        },
      }),
    );
    expect(result.steps).toContainEqual(
      expect.objectContaining({ name: 'devices-moved', atPrimary: 0, atBackup: 200, nowhere: 0 }),
    );
    expect(result.steps).toContainEqual(expect.objectContaining({ name: 'devices-home', stayed: 200 }));
    for (const [name, path] of Object.entries(callPaths)) {
      expect(result.steps).toContainEqual(expect.objectContaining({ name, path }));
    }
    expect(result.positions).toEqual(
      ['configuration', 'registration'].flatMap((log) => [
        expect.objectContaining({ log, from: 'c1', to: 'c2', ready: true }),
        expect.objectContaining({ log, from: 'c2', to: 'c1', ready: true }),
      ]),
    );
    const [make] = result.steps as unknown as { directory: string }[];
    expect(processesOf(make?.directory ?? '')).toEqual([]);
    const left = (await readdir(tmpdir())).filter(
      (name) => name.startsWith('dualhome-demo-') && !before.has(name),
    );
    expect(left).toEqual([]);
  });

  it('stops at Ctrl-C leaving no process, goes on with its data, and stops when it is killed', async () => {
    await using temporary = await TemporaryDirectory.create();
    await chmod(temporary.path, 0o755);
    const directory = temporary.file('demo');
    await using first = new Demo('--dir', directory);
    await first.waitFor('Both sites run');
    expect(first.output).toContain('10,000 subscribers are configured');
    first.signal('SIGINT');
    await first.succeeds();
    expect(processesOf(directory)).toEqual([]);

    await using second = new Demo('--dir', directory);
    await second.waitFor('Both sites run');
    expect(second.output).not.toContain('10,000 subscribers are configured');
    await second.waitFor('c1 -> c2');
    second.signal('SIGKILL');
    await waitForNoProcess(directory);
  });
});
