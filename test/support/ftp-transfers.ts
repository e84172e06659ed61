import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { FtpClient } from '../../services/platform/ftp/client/ftp-client.ts';
import type { FtpClientOptions } from '../../services/platform/ftp/client/ftp-client.ts';
import type { FtpServerAddress } from '../../services/platform/ftp/client/ftp-session.ts';
import type { UploadFile } from '../../services/platform/ftp/client/upload.ts';
import { silentLog } from './ftp-bed.ts';

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** A client that tries again quickly. */
export function clientOf(server: FtpServerAddress, options: Partial<FtpClientOptions> = {}): FtpClient {
  const retry = { attemptsMax: 8, backoff: { initialMs: 1, maxMs: 20, factor: 2, jitter: 0.5 } };
  return new FtpClient({ server, sessionsMax: 1, timeoutMs: 5_000, retry, log: silentLog, ...options });
}

export const sha256 = (content: string | Buffer): string =>
  createHash('sha256').update(content).digest('hex');

export function fileOf(name: string, content: Buffer): UploadFile {
  const open = (startByte: number) => Readable.from([content.subarray(startByte)]);
  return { name, bytes: content.length, sha256: sha256(content), open };
}

/** What lies in a directory: names and digests. */
export async function contents(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).sort();
  const entries = names.map(async (name) => [name, sha256(await readFile(`${directory}/${name}`))] as const);
  return Object.fromEntries(await Promise.all(entries));
}
