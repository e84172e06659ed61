import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { signalProcess, startTicks, waitUntil } from '../../platform/embedded-postgres/process.ts';
import { readJsonFile, writeJsonFile } from '../../platform/files/json.ts';
import { exitCodes } from '../../platform/lifecycle/exit-codes.ts';
import type { SiteLayout } from '../layout.ts';
import type { PlannedProgram } from '../programs.ts';
import type { Ended, Running } from './running.ts';

const readyWithinMs = 60_000;
/** A program ends itself after 10 s of stopping; this is for one that cannot. */
const stopWithinMs = 15_000;
const logBytesMax = 16 * 1024 * 1024;

const pidFileSchema = z.object({ pid: z.int(), startTicks: z.string() });
const readySchema = z.object({ type: z.literal('ready') });

/**
 * Starts a program as a process of its own, in its own process group so that the terminal's Ctrl-C reaches it only
 * through us, and returns when it serves. Its log goes to a file. When we die it notices by the closed IPC channel
 * and stops by itself; see `stopLeftOvers` for one that could not.
 *
 * @throws SITE_PROGRAM_NOT_READY when it ended, or was not ready in time
 */
export async function startProgram(
  { name, program }: PlannedProgram,
  layout: SiteLayout,
  signal: AbortSignal,
): Promise<Running> {
  const child = spawnProgram(name, program, layout);
  const { pid } = child;
  const ended = endOf(child);
  if (pid !== undefined) {
    // On a full disk it goes without: a program whose supervisor dies stops by itself.
    const found = { pid, startTicks: startTicks(pid) ?? '' };
    await writeJsonFile(layout.programPid(name), found).catch(() => undefined);
  }
  const stop = (): Promise<void> => stopChild(child, ended);
  void ended.then(() => rm(layout.programPid(name), { force: true }));
  const giveUp = (): void => void stop();
  signal.addEventListener('abort', giveUp, { once: true });
  const early = await Promise.race([becomesReady(child), ended]);
  signal.removeEventListener('abort', giveUp);
  if (early === 'ready') return { pid, ended, stop };
  await stop();
  throw new DualhomeError('SITE_PROGRAM_NOT_READY', {
    detail: `${name} ${early === 'late' ? `was not ready after ${readyWithinMs} ms` : early.how}`,
    facts: { program: name, log: layout.programLog(name), refused: early !== 'late' && early.refused },
  });
}

/**
 * Programs pass buffers through: a small young generation costs no time and keeps 100 MB from piling up. A front holds a
 * request for as long as 100 others take: with a small one most requests would be copied twice, and end among what lives.
 */
const semiSpaceMb = (program: string): number => (program === 'front' ? 32 : 8);
/** Of glibc's allocator, which else keeps freed buffers for each thread apart: 60 MB in a synchronizer. */
const allocator = { MALLOC_ARENA_MAX: '2' };

function spawnProgram(name: string, program: string, layout: SiteLayout): ChildProcess {
  const main = join(import.meta.dirname, '..', '..', program, 'main.ts');
  const log = openLog(layout.programLog(name));
  try {
    return spawn(
      process.execPath,
      [`--max-semi-space-size=${semiSpaceMb(program)}`, main, '--config', layout.programConfig(name)],
      {
        detached: true,
        env: { ...allocator, ...process.env },
        stdio: ['ignore', log, log, 'ipc'],
      },
    );
  } finally {
    closeSync(log);
  }
}

/** Begins a new log file when the old one is full; one old one is kept. */
function openLog(path: string): number {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > logBytesMax) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('error', ({ message }) =>
      resolve({ how: `could not be started: ${message}`, refused: false }),
    );
    child.once('exit', (code, signal) => {
      const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      resolve({ how, refused: code === exitCodes.refused });
    });
  });
}

function becomesReady(child: ChildProcess): Promise<'ready' | 'late'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('late'), readyWithinMs);
    const settle = (value: 'ready'): void => {
      clearTimeout(timer);
      resolve(value);
    };
    child.once('exit', () => clearTimeout(timer));
    child.on('message', (message) => {
      if (readySchema.safeParse(message).success) settle('ready');
    });
  });
}

async function stopChild(child: ChildProcess, ended: Promise<Ended>): Promise<void> {
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await ended;
  clearTimeout(force);
}

/** Ends what a supervisor that was killed has left running, whatever was configured then. */
export async function stopLeftOvers(layout: SiteLayout): Promise<void> {
  const directory = dirname(layout.state);
  const files = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  const paths = files.map((name) => join(directory, name)).filter((path) => path !== layout.state);
  await Promise.all(paths.map(stopLeftOver));
}

/** A program whose supervisor was killed is about to stop by itself; it is waited for, then ended. */
async function stopLeftOver(path: string): Promise<void> {
  const left = await readJsonFile(path, pidFileSchema).catch(() => undefined);
  if (!left) return;
  const gone = (): boolean => startTicks(left.pid) !== left.startTicks;
  if (!gone()) signalProcess(left.pid, 'SIGTERM');
  if (!(await waitUntil(gone, stopWithinMs))) signalProcess(left.pid, 'SIGKILL');
  await waitUntil(gone, stopWithinMs);
  await rm(path, { force: true });
}
