import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const probe = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);

/** Why tests with a disk of their own cannot run here; undefined where they can. */
export const smallDiskMissing =
  process.getuid?.() === 0 && probe.status === 0 ? undefined : 'only root may mount a small disk';

const mb = 1_000_000;

/** A file system of its own, in memory, that can be full. */
export class SmallDisk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(sizeMb: number): Promise<SmallDisk> {
    const path = await mkdtemp(join(tmpdir(), 'dualhome-test-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', path], {
      encoding: 'utf8',
    });
    if (mounted.status !== 0) throw new Error(mounted.stderr);
    await chmod(path, 0o755);
    return new SmallDisk(path);
  }

  /** Takes all that is free but for `leaveBytes`. */
  async fill(leaveBytes = 0): Promise<void> {
    for (;;) {
      const { bavail, bsize } = await statfs(this.path);
      const bytes = Math.min(bavail * bsize - leaveBytes, 64 * mb);
      if (bytes <= 0) return;
      await writeFile(join(this.path, `filler-${bavail}`), Buffer.alloc(bytes)).catch(() => undefined);
    }
  }

  async empty(): Promise<void> {
    for (const name of await readdir(this.path))
      if (name.startsWith('filler-')) await rm(join(this.path, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const unmounted = spawnSync('umount', ['--lazy', this.path], { encoding: 'utf8' });
    if (unmounted.status !== 0) throw new Error(unmounted.stderr);
    await rmdir(this.path);
  }
}
