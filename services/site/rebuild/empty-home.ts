import { readHead } from '../../log/head.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { openDatabase } from '../../platform/postgres/database.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { DatabaseToRun } from '../plan.ts';
import type { Running } from '../supervisor/running.ts';

const applicationName = 'dualhome rebuild';

export type EmptyHomeOptions = {
  readonly home: DatabaseToRun;
  /** Of its administrator. */
  readonly url: string;
  readonly embedded: boolean;
  /** Whether one that holds something may be set aside. */
  readonly replace: boolean;
  readonly log: Logger;
};

/**
 * Starts the home database and returns it empty. What it held stays in the same server, under another name.
 *
 * @throws SITE_HOME_NOT_EMPTY unless it is empty, or embedded and to be replaced
 */
export async function startEmptyHome({
  home,
  url,
  embedded,
  replace,
  log,
}: EmptyHomeOptions): Promise<Running> {
  const running = await home.start();
  try {
    const { seq } = await headOf(url);
    if (seq === 0) return running;
    if (!replace || !embedded) throw notEmpty(seq, embedded);
    const kept = `home_until_${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)}`;
    await rename(url, kept);
    log.warn({ kept, seq }, 'what home held is kept in the same server under another name');
  } catch (error) {
    await running.stop();
    throw error;
  }
  await running.stop();
  return await home.start();
}

async function headOf(url: string) {
  await using database = openDatabase({ url, applicationName, poolMax: 1 });
  return await readHead(database);
}

async function rename(url: string, kept: string): Promise<void> {
  const server = new URL(url);
  const name = server.pathname.slice(1);
  server.pathname = '/postgres';
  await using database = openDatabase({ url: server.href, applicationName, poolMax: 1 });
  await database.query(`alter database "${name}" rename to "${kept}"`);
}

function notEmpty(seq: number, embedded: boolean): DualhomeError {
  const way = embedded ? '--replace keeps it under another name' : 'name an empty database in site.yaml';
  return new DualhomeError('SITE_HOME_NOT_EMPTY', {
    detail: `it holds ${seq} events; ${way}`,
    facts: { seq },
  });
}
