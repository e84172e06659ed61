import { DualhomeError } from '../protocol/errors/index.ts';
import { signalProcess, startTicks, waitUntil } from '../platform/embedded-postgres/process.ts';
import type { SiteLayout } from './layout.ts';
import { stopSiteWithinMs } from './run.ts';
import { readSiteState } from './supervisor/state-file.ts';

const pollMs = 50;
const graceMs = 5_000;

/** Tells the supervisor to stop and waits until it has. @throws SITE_NOT_RUNNING, LIFECYCLE_STOP_TIMEOUT */
export async function stopSite(layout: SiteLayout): Promise<{ readonly pid: number; readonly ms: number }> {
  const state = await readSiteState(layout);
  if (!state) throw new DualhomeError('SITE_NOT_RUNNING', { detail: layout.dataDir });
  const { pid } = state;
  const startedMs = performance.now();
  signalProcess(pid, 'SIGTERM');
  const gone = (): boolean => startTicks(pid) !== state.startTicks;
  if (!(await waitUntil(gone, stopSiteWithinMs + graceMs, pollMs))) {
    throw new DualhomeError('LIFECYCLE_STOP_TIMEOUT', { detail: `process ${pid}`, facts: { pid } });
  }
  return { pid, ms: Math.round(performance.now() - startedMs) };
}
