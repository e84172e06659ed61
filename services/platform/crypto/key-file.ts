import { readFile } from 'node:fs/promises';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { Secret } from '../logging/secret.ts';

/** A key as its file holds it: hexadecimal. @throws FILES_UNREADABLE */
export async function readKeyFile(path: string): Promise<Secret<Uint8Array>> {
  try {
    return new Secret<Uint8Array>(Buffer.from((await readFile(path, 'utf8')).trim(), 'hex'));
  } catch (cause) {
    throw new DualhomeError('FILES_UNREADABLE', { detail: path, facts: { path }, cause });
  }
}
