import { execFile } from 'node:child_process';
import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Binaries } from './binaries.ts';
import type { OperatingUser } from './operating-user.ts';

export type ClusterOptions = {
  readonly dataDir: string;
  readonly binaries: Binaries;
  readonly user: OperatingUser;
  readonly superuserPassword: string;
};

const INITDB_TIMEOUT_MS = 120_000;
const INITDB_OPTIONS = [
  '--username=postgres',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
  '--no-instructions',
];

/** Where in a data directory of ours the server's own directory (PGDATA) is. */
export const clusterDirOf = (dataDir: string): string => join(dataDir, 'pgdata');

/**
 * Makes sure that there is a cluster of our version; returns whether it is new. It is built aside and renamed, so one
 * that was cut off is never taken for a cluster.
 *
 * Each cluster comes from an initdb of its own (0.8 s), not from a copied template: a copy shares its system identifier,
 * by which a data directory that was emptied is noticed.
 */
export async function ensureCluster(options: ClusterOptions): Promise<boolean> {
  const dir = clusterDirOf(options.dataDir);
  const partial = `${dir}.new`;
  await rm(partial, { recursive: true, force: true });
  if (existsSync(dir)) {
    checkVersion(dir, options.binaries.major);
    return false;
  }
  await initialise(partial, options);
  await rename(partial, dir);
  await syncDirectory(options.dataDir);
  return true;
}

function checkVersion(dir: string, major: string): void {
  const file = join(dir, 'PG_VERSION');
  const found = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'none';
  if (found === major) return;
  throw new DualhomeError('POSTGRES_DATA_DIRECTORY', {
    detail: `${dir} was written by PostgreSQL ${found}; this is PostgreSQL ${major}.`,
    facts: { dir, found, major },
  });
}

async function initialise(
  dir: string,
  { dataDir, binaries, user, superuserPassword }: ClusterOptions,
): Promise<void> {
  const passwordFile = join(dataDir, 'password.new');
  await rm(passwordFile, { force: true });
  writeFileSync(passwordFile, superuserPassword, { mode: 0o600, flag: 'wx' });
  if (user.other) chownSync(passwordFile, user.uid, user.gid);
  try {
    await promisify(execFile)(
      binaries.initdb,
      [...INITDB_OPTIONS, `--pgdata=${dir}`, `--pwfile=${passwordFile}`],
      {
        cwd: dataDir,
        env: serverEnvironment,
        timeout: INITDB_TIMEOUT_MS,
        ...(user.other && { uid: user.uid, gid: user.gid }),
      },
    );
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new DualhomeError('POSTGRES_START_FAILED', { detail: `initdb failed: ${output}`, cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** Nothing of ours reaches the server: neither PG* variables nor a locale nor a secret. */
export const serverEnvironment: NodeJS.ProcessEnv = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** The rename is as durable as what the server writes from now on. */
async function syncDirectory(dir: string): Promise<void> {
  await using handle = await open(dir, 'r');
  await handle.sync();
}
