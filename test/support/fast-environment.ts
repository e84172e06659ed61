import { readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

const memory = '/dev/shm';
const memoryBytesMin = 4 * 1024 ** 3;

/**
 * What the processes of a test run, and the programs they start, are given to be fast:
 * - temporary files in memory where there is plenty: most of these tests make and delete thousands of files;
 * - compiled code is kept from one start of a program to the next, as the command does it.
 */
export function fastEnvironment(): Readonly<Record<string, string>> {
  return {
    NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/dualhome'),
    ...(hasRoomyMemory() && { TMPDIR: memory }),
  };
}

/** Programs are copied to temporary directories and run there, which a mount with `noexec` forbids. */
function hasRoomyMemory(): boolean {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const options = mounts.map((line) => line.split(' ')).findLast(([, path]) => path === memory)?.[3];
  if (options === undefined || options.split(',').includes('noexec')) return false;
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= memoryBytesMin;
}
