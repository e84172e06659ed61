import { stat } from 'node:fs/promises';
import { roleSchema } from '../../protocol/program-config.ts';
import { besideConfig } from '../config/read.ts';
import type { SiteFile } from '../config/read.ts';
import { siteLayout } from '../layout.ts';
import type { CheckContext, Finding } from './check.ts';

const others = 0o077;

/** Keys and tokens: there, and readable by their owner only. */
export async function secretFaults({ file }: CheckContext): Promise<readonly Finding[]> {
  const { config, dataDir } = file;
  const { secrets } = siteLayout(dataDir);
  const own = [
    secrets.authorityKey,
    secrets.signingKey,
    secrets.sealingKey,
    secrets.databaseKey,
    ...roleSchema.options.map((role) => secrets.token(role)),
  ];
  const faults = [
    ...own.map((file) => faultOf(file, ['data_dir'])),
    ...namedServerFiles(file),
    ...config.peers.map(({ name }, index) => faultOf(secrets.peerSealingKey(name), ['peers', index, 'name'])),
  ];
  return (await Promise.all(faults)).flat();
}

function namedServerFiles(file: SiteFile): readonly Promise<readonly Finding[]>[] {
  const { server } = file.config.ftp;
  if (!server) return [];
  const password = besideConfig(file, server.password_file);
  const path = ['ftp', 'server', 'password_file'];
  return [faultOf(password, path, 'write the password of the FTP server into it, chmod 600')];
}

async function faultOf(
  file: string,
  path: Finding['path'],
  remedy = 'restore it from a backup, or pair anew',
): Promise<Finding[]> {
  try {
    const { mode } = await stat(file);
    return (mode & others) === 0 ? [] : [{ path, message: `${file} can be read by others; chmod 600` }];
  } catch {
    return [{ path, message: `${file} is missing; ${remedy}` }];
  }
}
