import { stat } from 'node:fs/promises';
import { roleSchema } from '../../protocol/program-config.ts';
import { siteLayout } from '../layout.ts';
import type { CheckContext, Finding } from './check.ts';

const others = 0o077;

/** Keys and tokens: there, and readable by their owner only. */
export async function secretFaults({ file: { config, dataDir } }: CheckContext): Promise<readonly Finding[]> {
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
    ...config.peers.map(({ name }, index) => faultOf(secrets.peerSealingKey(name), ['peers', index, 'name'])),
  ];
  return (await Promise.all(faults)).flat();
}

async function faultOf(file: string, path: Finding['path']): Promise<Finding[]> {
  try {
    const { mode } = await stat(file);
    return (mode & others) === 0 ? [] : [{ path, message: `${file} can be read by others; chmod 600` }];
  } catch {
    return [{ path, message: `${file} is missing; restore it from a backup, or pair anew` }];
  }
}
