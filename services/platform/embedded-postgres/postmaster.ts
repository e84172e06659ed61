import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import { serverEnvironment } from './cluster.ts';
import type { OperatingUser } from './operating-user.ts';
import {
  commandLineOf,
  isServerProcess,
  serverProcesses,
  signalProcess,
  startTicks,
  waitUntil,
} from './process.ts';
import type { ServerLog } from './server-log.ts';

/** How a server's main process ended; an adopted one, which is not our child, does not tell. */
export type ExitStatus = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A server's main process. */
export type Postmaster = {
  readonly pid: number;
  readonly adopted: boolean;
  /** Asked before each signal: the number of a process that has ended may be somebody else's. */
  readonly running: () => boolean;
  readonly exited: Promise<ExitStatus>;
};

/** What postmaster.pid says (PostgreSQL, miscadmin.h, LOCK_FILE_LINE_*). */
export type PidFile = { readonly pid: number; readonly port: number; readonly ready: boolean };

const ADOPTED_POLL_MS = 200;
/** Nobody is served by a backend without its main process, and nothing is safer for waiting longer. */
const LEFTOVERS_TIMEOUT_MS = 1_000;
const IMMEDIATE_TIMEOUT_MS = 10_000;

export function parsePidFile(text: string): PidFile {
  const lines = text.split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

export function readPidFile(clusterDir: string): PidFile | undefined {
  const path = join(clusterDir, 'postmaster.pid');
  return existsSync(path) ? parsePidFile(readFileSync(path, 'utf8')) : undefined;
}

/** In a process group of its own: Ctrl-C at the terminal reaches the clients, which stop before their server. */
export async function spawnPostmaster(
  argv: readonly string[],
  user: OperatingUser,
  log: ServerLog,
  cwd: string,
): Promise<Postmaster> {
  const [command = '', ...args] = argv;
  const stderr = log.open();
  try {
    const child = spawn(command, args, {
      cwd,
      detached: true,
      env: serverEnvironment,
      stdio: ['ignore', stderr, stderr],
      ...(user.other && { uid: user.uid, gid: user.gid }),
    });
    const exited = new Promise<ExitStatus>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await once(child, 'spawn');
    const pid = child.pid ?? NaN;
    return { pid, adopted: false, running: watch(pid), exited };
  } catch (error) {
    throw new DualhomeError('POSTGRES_START_FAILED', { detail: messageOf(error), cause: error });
  } finally {
    closeSync(stderr);
  }
}

/** The server left running by a process that is gone, if there is one. */
export function findRunning(
  clusterDir: string,
): (Postmaster & { readonly argv: readonly string[] }) | undefined {
  const pid = readPidFile(clusterDir)?.pid;
  if (pid === undefined || !isServerProcess(pid, clusterDir)) return undefined;
  const running = watch(pid);
  const ended = waitUntil(() => !running(), Infinity, ADOPTED_POLL_MS);
  const exited = ended.then((): ExitStatus => ({ code: null, signal: null }));
  return { pid, adopted: true, running, exited, argv: commandLineOf(pid) };
}

function watch(pid: number): () => boolean {
  const ticks = startTicks(pid);
  return () => ticks !== undefined && startTicks(pid) === ticks;
}

/** Fast shutdown: sessions are ended, everything is written. After `timeoutMs` immediate shutdown, as after a crash. */
export async function stopPostmaster({ pid, running, exited }: Postmaster, timeoutMs: number): Promise<void> {
  const steps = [
    ['SIGINT', timeoutMs],
    ['SIGQUIT', IMMEDIATE_TIMEOUT_MS],
    ['SIGKILL', Infinity],
  ] as const;
  for (const [signal, limitMs] of steps) {
    if (!running()) break;
    signalProcess(pid, signal);
    await waitUntil(() => !running(), limitMs);
  }
  await exited;
}

/**
 * Clears what a server that is gone has left, so that another can start: backends that have not noticed yet hold its
 * shared memory, and a pid file whose number belongs to somebody else by now would be respected by PostgreSQL.
 */
export async function clearLeftovers(clusterDir: string): Promise<void> {
  const clear = (): boolean => serverProcesses(clusterDir).length === 0;
  if (!(await waitUntil(clear, LEFTOVERS_TIMEOUT_MS))) {
    for (const pid of serverProcesses(clusterDir)) signalProcess(pid, 'SIGKILL');
    await waitUntil(clear, LEFTOVERS_TIMEOUT_MS);
  }
  await rm(join(clusterDir, 'postmaster.pid'), { force: true });
}
