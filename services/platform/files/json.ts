import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { writeFileAtomic } from './write-atomic.ts';
import type { WriteAtomicOptions } from './write-atomic.ts';

/** The content of a JSON file, checked; undefined when there is no such file. @throws FILES_UNREADABLE, FILES_INVALID */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readIfPresent(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : 'not JSON';
    throw new DualhomeError('FILES_INVALID', { detail: `${path}: ${reason}`, facts: { path }, cause });
  }
}

/** Replaces a JSON file atomically. */
export async function writeJsonFile(
  path: string,
  value: unknown,
  options?: WriteAtomicOptions,
): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`, options);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new DualhomeError('FILES_UNREADABLE', { detail: path, facts: { path }, cause });
  }
}
