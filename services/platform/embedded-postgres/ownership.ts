import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  const mine = `${process.pid} ${startTicks(process.pid)}`;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    while (!tryLink(draft, path)) dropStale(path, dataDir);
  } finally {
    rmSync(draft, { force: true });
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/** Appears complete or not at all: a reader never sees half a claim. */
function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function dropStale(path: string, dataDir: string): void {
  const [pid, ticks] = readFileSync(path, 'utf8').split(' ');
  if (startTicks(Number(pid)) === ticks) {
    throw new DualhomeError('POSTGRES_IN_USE', {
      detail: `Process ${pid} looks after ${dataDir}.`,
      facts: { dataDir, pid: Number(pid) },
    });
  }
  rmSync(path, { force: true });
}
