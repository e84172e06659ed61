import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Modes of files: readable by the owner only, or by everyone. */
export const fileModes = { private: 0o600, public: 0o644 } as const;

export type WriteAtomicOptions = { readonly mode?: number | undefined };

/**
 * Replaces `path` so that every reader, also after a power cut, sees the old content or the new one, whole:
 * write a temporary file beside it, fsync, rename over it, fsync the directory. Mode 0644 unless told.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  { mode = fileModes.public }: WriteAtomicOptions = {},
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeAndSync(temporary, content, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function writeAndSync(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await using file = await open(path, 'wx', mode);
  await file.chmod(mode);
  await file.writeFile(content);
  await file.sync();
}

/** Makes renames, creations and removals in `path` survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}
