import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DualhomeError } from '../../protocol/errors/index.ts';

/** The user of the operating system a server runs as. */
export type OperatingUser = {
  readonly uid: number;
  readonly gid: number;
  /** Whether this process is another user (root), so that files have to be handed over. */
  readonly other: boolean;
};

const SERVER_USERS = ['postgres', 'nobody'];
const EXECUTE_BITS = { owner: 0o100, group: 0o010, others: 0o001 };

/**
 * PostgreSQL refuses to run as root. So: a cluster that exists is run by its owner, a new one by `postgres` where that
 * user exists and by `nobody` otherwise; without root everything is this process's own.
 */
export function chooseOperatingUser(clusterDir: string): OperatingUser {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? uid, other: false };
  const cluster = statSync(clusterDir, { throwIfNoEntry: false });
  if (cluster && cluster.uid !== 0) return { uid: cluster.uid, gid: cluster.gid, other: true };
  return findUser(readFileSync('/etc/passwd', 'utf8'));
}

/** The first of our server users in the text of a passwd(5) file. */
export function findUser(passwd: string): OperatingUser {
  const fields = passwd.split('\n').map((line) => line.split(':'));
  const entry = SERVER_USERS.map((name) => fields.find(([first]) => first === name)).find(Boolean);
  if (!entry) {
    throw new DualhomeError('POSTGRES_START_FAILED', {
      detail: 'PostgreSQL does not run as root, and neither user "postgres" nor "nobody" exists.',
    });
  }
  return { uid: Number(entry[2]), gid: Number(entry[3]), other: true };
}

/** Whether `user` may pass through `dir` and every directory above it. Access control lists are not looked at. */
export function canReach(dir: string, user: OperatingUser): boolean {
  if (!user.other) return true;
  const { uid, gid, mode } = statSync(dir);
  const { owner, group, others } = EXECUTE_BITS;
  const bit = uid === user.uid ? owner : gid === user.gid ? group : others;
  if ((mode & bit) === 0) return false;
  const parent = dirname(dir);
  return parent === dir || canReach(parent, user);
}
