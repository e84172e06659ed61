import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../../protocol/errors/index.ts';
import { siteDirectories } from '../layout.ts';
import type { CheckContext, Finding } from './check.ts';

const bytesPerMb = 1_000_000;

/** Directories we have to write in; one that is missing is made at the start, if what is above it permits. */
export async function directoryFaults({ file: { dataDir } }: CheckContext): Promise<readonly Finding[]> {
  const paths = new Set(Object.keys(siteDirectories).map((name) => existing(join(dataDir, name))));
  const faults = await Promise.all(
    [...paths].map(async (path): Promise<Finding[]> => {
      try {
        await access(path, constants.W_OK | constants.X_OK);
        return [];
      } catch (error) {
        return [{ path: ['data_dir'], message: `${path} is not writable: ${messageOf(error)}` }];
      }
    }),
  );
  return faults.flat();
}

export async function diskFaults({ file: { config, dataDir } }: CheckContext): Promise<readonly Finding[]> {
  const wantedMb = config.limits.disk_free_mb_min;
  const path = existing(dataDir);
  const { bavail, bsize } = await statfs(path);
  const freeMb = Math.floor((bavail * bsize) / bytesPerMb);
  if (freeMb >= wantedMb) return [];
  const message = `${path} has ${freeMb} MB free, less than the ${wantedMb} MB wanted`;
  return [{ path: ['limits', 'disk_free_mb_min'], message }];
}

/** The path itself, or the nearest directory above it that exists. */
function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}
