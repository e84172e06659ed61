import { mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { SynchronizerConfig } from '../../protocol/program-config.ts';

/** Below this a snapshot is not begun: the databases of the site need the rest. */
const freeBytesMin = 256 * 1024 * 1024;

/** Makes the directories of chunk files, and removes what transfers of an earlier run have left there. */
export async function clearSpool({ outgoing, incoming }: SynchronizerConfig['spool']): Promise<void> {
  for (const directory of [outgoing, incoming]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(directory))
      await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** @throws TRANSFER_NO_SPACE */
export async function requireSpace(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes >= freeBytesMin) return;
  throw new DualhomeError('TRANSFER_NO_SPACE', { detail: `${directory} has ${freeBytes} bytes left.` });
}
