import { hash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DualhomeError } from '../protocol/errors/index.ts';

/** Room for the path of a Unix socket on Linux (sockaddr_un), less its ending null. */
const pathBytesMax = 107;
const others = 0o077;

/** Where a program's Unix socket is: in `run`, or, where that path is too long, in a directory of ours for short ones. */
export function socketPath(runDir: string, program: string): string {
  const path = join(runDir, `${program}.sock`);
  if (Buffer.byteLength(path) <= pathBytesMax) return path;
  return join(shortDirectory(), `${hash('sha256', path).slice(0, 16)}.sock`);
}

function shortDirectory(): string {
  return join(tmpdir(), `dualhome-${process.getuid?.()}`);
}

/** Makes the directory of a socket, unless it is there. @throws IPC_SOCKET_UNUSABLE where it is open to others */
export async function makeSocketDirectory(path: string): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (directory !== shortDirectory()) return;
  const { uid, mode } = await lstat(directory);
  if (uid === process.getuid?.() && (mode & others) === 0) return;
  throw new DualhomeError('IPC_SOCKET_UNUSABLE', {
    detail: `${directory} belongs to, or is open to, others`,
  });
}
