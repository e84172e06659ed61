import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { startTicks } from '../../platform/embedded-postgres/process.ts';
import { readJsonFile, writeJsonFile } from '../../platform/files/json.ts';
import type { SiteLayout } from '../layout.ts';

const unitSchema = z.object({
  name: z.string(),
  state: z.enum(['starting', 'running', 'waiting', 'refused', 'stopping', 'stopped']),
  pid: z.int().optional(),
  since: z.string(),
  restarts: z.int(),
  lastEnd: z.string().optional(),
});

/** What a supervisor says of itself, for `site status` and `site stop`. */
export const siteStateSchema = z.object({
  site: z.string(),
  pid: z.int(),
  startTicks: z.string(),
  startedAt: z.string(),
  ready: z.boolean(),
  /** Why the newest site.yaml is not in effect. */
  problem: z.string().optional(),
  units: z.array(unitSchema),
});
export type SiteState = z.infer<typeof siteStateSchema>;

/** The state of the running supervisor; undefined where none runs. */
export async function readSiteState({ state }: SiteLayout): Promise<SiteState | undefined> {
  const found = await readJsonFile(state, siteStateSchema);
  return found && startTicks(found.pid) === found.startTicks ? found : undefined;
}

const retryMs = 1_000;

/**
 * Writes the newest state, never two at a time; what changes meanwhile is written once, afterwards. On a disk that is
 * full it is tried again.
 */
export class StateFile implements AsyncDisposable {
  readonly #path: string;
  readonly #read: () => SiteState;
  #writing: Promise<void> = Promise.resolve();
  #wanted = false;
  #retry: NodeJS.Timeout | undefined;

  constructor({ state }: SiteLayout, read: () => SiteState) {
    this.#path = state;
    this.#read = read;
  }

  update(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#writing = this.#writing.then(async () => {
      this.#wanted = false;
      clearTimeout(this.#retry);
      await writeJsonFile(this.#path, this.#read()).catch(() => {
        this.#retry = setTimeout(() => this.update(), retryMs);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    clearTimeout(this.#retry);
    await rm(this.#path, { force: true });
  }
}
