import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Result of `read`, or undefined for a process that is gone or not ours to look at. */
function ofProcess<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** When a process started, in clock ticks since boot: with its pid it names a process for good (proc(5), stat field 22). */
export function startTicks(pid: number): string | undefined {
  return ofProcess(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  });
}

/** Whether `pid` is a PostgreSQL process of the cluster in `clusterDir`: each of them works in that directory. */
export function isServerProcess(pid: number, clusterDir: string): boolean {
  const cwd = ofProcess(() => readlinkSync(`/proc/${pid}/cwd`));
  const exe = ofProcess(() => readlinkSync(`/proc/${pid}/exe`));
  return cwd === clusterDir && /\/postgres( \(deleted\))?$/.test(exe ?? '') && startTicks(pid) !== undefined;
}

/** Process ids of everything that runs on the cluster in `clusterDir`. */
export function serverProcesses(clusterDir: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => isServerProcess(pid, clusterDir));
}

export function commandLineOf(pid: number): readonly string[] {
  const text = ofProcess(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
  return text.split('\0').slice(0, -1);
}

/** Sends a signal; a process that has ended in the meantime is as good. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  ofProcess(() => process.kill(pid, signal));
}

/** Waits until `condition` holds; returns whether it did in time. */
export async function waitUntil(
  condition: () => boolean,
  timeoutMs: number,
  pollMs = POLL_MS,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}
