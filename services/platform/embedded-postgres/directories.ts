import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { canReach } from './operating-user.ts';
import type { OperatingUser } from './operating-user.ts';

/** Where copies of the binaries and data that cannot stay in a closed directory are kept. */
export function defaultRuntimeDir(): string {
  if (process.getuid?.() === 0) return '/var/lib/dualhome';
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dualhome');
}

/**
 * Makes the data directory, owned by `user`, and returns its real path. One that `user` cannot reach (under a root-only
 * directory) is made in `runtimeDir` and linked from where it was asked for.
 */
export function prepareDataDir(dataDir: string, user: OperatingUser, runtimeDir: string): string {
  const asked = resolve(dataDir);
  makeTraversable(dirname(asked));
  dropDanglingLink(asked);
  if (!isLink(asked) && !canReach(realpathSync(dirname(asked)), user)) moveAway(asked, runtimeDir, user);
  makeOwned(asked, user);
  return realpathSync(asked);
}

/** Creates `dir` and its missing parents so that other users may pass but not list, whatever the umask. */
export function makeTraversable(dir: string): void {
  if (existsSync(dir)) return;
  makeTraversable(dirname(dir));
  mkdirSync(dir);
  chmodSync(dir, 0o711);
}

/** It may exist, for instance as the mount point of a volume. */
function makeOwned(dir: string, user: OperatingUser): void {
  if (!existsSync(dir)) {
    mkdirSync(dir);
    chmodSync(dir, 0o700);
  }
  if (user.other) chownSync(dir, user.uid, user.gid);
}

function moveAway(asked: string, runtimeDir: string, user: OperatingUser): void {
  if (existsSync(asked)) {
    if (readdirSync(asked).length > 0) {
      throw new DualhomeError('POSTGRES_DATA_DIRECTORY', {
        detail: `${asked} is not empty, and the server's user cannot reach it; open the directories above it (chmod o+x).`,
      });
    }
    rmdirSync(asked);
  }
  const actual = join(runtimeDir, 'data', `${basename(asked)}-${randomBytes(6).toString('hex')}`);
  makeTraversable(dirname(actual));
  makeOwned(actual, user);
  symlinkSync(actual, asked);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** What it led to was deleted, so there is no data any more. */
function dropDanglingLink(path: string): void {
  if (isLink(path) && !existsSync(path)) unlinkSync(path);
}
