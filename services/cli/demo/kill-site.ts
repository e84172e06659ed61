import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { serverProcesses, signalProcess } from '../../platform/embedded-postgres/process.ts';
import type { SiteLayout } from '../../site/layout.ts';
import { readSiteState } from '../../site/supervisor/state-file.ts';

/** Kills (SIGKILL) every process of a running site: the supervisor first, so that it starts nothing anew. */
export async function killSite(layout: SiteLayout): Promise<void> {
  const state = await readSiteState(layout);
  if (!state) return;
  const databases = await databaseDirectories(layout);
  const programs = state.units.flatMap(({ pid }) => pid ?? []);
  const servers = databases.flatMap((directory) => serverProcesses(directory));
  for (const pid of [state.pid, ...programs, ...servers]) signalProcess(pid, 'SIGKILL');
}

async function databaseDirectories({ postgres }: SiteLayout): Promise<readonly string[]> {
  const parent = postgres('');
  const names = await readdir(parent).catch(() => []);
  return Promise.all(names.map((name) => realpath(join(parent, name))));
}
