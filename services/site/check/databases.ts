import { messageOf } from '../../protocol/errors/index.ts';
import type { YamlPath } from '../../platform/yaml/document.ts';
import { plannedDatabases } from '../databases/plan.ts';
import type { PlannedDatabase } from '../databases/plan.ts';
import { probeDatabase } from '../databases/prepare.ts';
import type { CheckContext, Finding } from './check.ts';

/** Databases of the operator's: reachable, willing, new enough. Embedded ones: whether there are binaries for us. */
export async function databaseFaults({ file: { config } }: CheckContext): Promise<readonly Finding[]> {
  const faults = plannedDatabases(config).map(async (database): Promise<Finding[]> => {
    const path = pathOf(
      database,
      config.peers.map(({ name }) => name),
    );
    if (database.url === undefined) return platformFaults(path);
    try {
      await probeDatabase(database.url);
      return [];
    } catch (error) {
      return [{ path, message: messageOf(error) }];
    }
  });
  return (await Promise.all(faults)).flat();
}

function pathOf({ kind, name, peers: [peer = ''] }: PlannedDatabase, peers: readonly string[]): YamlPath {
  return kind === 'standby' ? ['peers', peers.indexOf(peer), 'standby'] : ['postgres', name];
}

function platformFaults(path: YamlPath): Finding[] {
  if (process.platform === 'linux' && process.arch === 'x64') return [];
  const message = `There is no embedded PostgreSQL for ${process.platform} ${process.arch}; give a URL`;
  return [{ path, message }];
}
