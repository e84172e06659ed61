import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalProcess } from '../../platform/embedded-postgres/process.ts';
import { isAbortOf } from '../../platform/lifecycle/abort.ts';
import { plannedPrograms } from '../../site/programs.ts';
import { readSiteFile } from '../../site/config/read.ts';
import { readSiteState } from '../../site/supervisor/state-file.ts';
import type { DemoPair } from './demo-pair.ts';

const services = join(import.meta.dirname, '..', '..');
const settleMs = 300;

/** Ends the programs of both sites whenever source code changes; their supervisors start them with the new one. */
export async function restartOnChange({ c1, c2 }: DemoPair, signal: AbortSignal): Promise<void> {
  let changed = false;
  const watcher = watch(services, { recursive: true, signal }, (_event, file) => {
    if (file?.endsWith('.ts')) changed = true;
  });
  watcher.on('error', () => undefined);
  while (!signal.aborted) {
    await sleep(settleMs, undefined, { signal }).catch((error: unknown) => {
      if (!isAbortOf(signal, error)) throw error;
    });
    if (!changed) continue;
    changed = false;
    for (const { layout, path } of [c1, c2]) {
      const programs = plannedPrograms((await readSiteFile(path)).config);
      const units = (await readSiteState(layout))?.units ?? [];
      for (const { name, pid } of units) {
        if (pid !== undefined && programs.some((program) => program.name === name))
          signalProcess(pid, 'SIGTERM');
      }
    }
  }
}
