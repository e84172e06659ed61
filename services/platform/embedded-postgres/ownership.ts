import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { startTicks } from './process.ts';

/**
 * Claims a data directory for this process; returns what gives it back. The claim of a process that is gone does not
 * count, so nothing has to be cleaned up after a kill -9.
 *
 * @throws DualhomeError POSTGRES_IN_USE while another claim holds
 */
export function claimDataDir(dataDir: string): Disposable {
  const path = join(dataDir, 'supervisor.lock');
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${process.pid} ${startTicks(process.pid)}`);
  try {
    // A link appears complete or not at all: no reader sees half a claim.
    while (!unless('EEXIST', () => linkSync(draft, path))) dropStale(path, dataDir);
  } finally {
    rmSync(draft, { force: true });
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/** Two may find the same stale claim: it is moved aside, and put back if it was somebody's fresh one by then. */
function dropStale(path: string, dataDir: string): void {
  refuseLiving(path, dataDir);
  const aside = `${path}.stale.${process.pid}`;
  if (!unless('ENOENT', () => renameSync(path, aside))) return;
  try {
    refuseLiving(aside, dataDir);
  } catch (error) {
    unless('EEXIST', () => linkSync(aside, path));
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function refuseLiving(path: string, dataDir: string): void {
  let text = '';
  if (!unless('ENOENT', () => (text = readFileSync(path, 'utf8')))) return;
  const [pid, ticks] = text.split(' ');
  if (startTicks(Number(pid)) !== ticks) return;
  throw new DualhomeError('POSTGRES_IN_USE', {
    detail: `Process ${pid} looks after ${dataDir}.`,
    facts: { dataDir, pid: Number(pid) },
  });
}

/** Does it; returns false where it failed with the error named. */
function unless(code: string, action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === code) return false;
    throw error;
  }
}
