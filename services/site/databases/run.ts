import { startEmbeddedPostgres } from '../../platform/embedded-postgres/server.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { Secret } from '../../platform/logging/secret.ts';
import type { SiteLayout } from '../layout.ts';
import type { Running } from '../supervisor/running.ts';
import { embeddedSettings } from './embedded-settings.ts';
import type { PlannedDatabase } from './plan.ts';
import { ensureDatabase, prepareDatabase } from './prepare.ts';

/** The administrator of an embedded server; the name by which its password is derived. */
const superuser = 'postgres';

export type DatabaseContext = {
  readonly site: string;
  readonly layout: SiteLayout;
  readonly passwordOf: (role: string) => Secret;
  readonly log: Logger;
};

/**
 * Starts (or adopts) the server of an embedded database, makes what is missing in it and returns it running. One of
 * the operator's is only prepared. A data directory that was deleted begins anew here; whether that may be is the
 * api's and the synchronizer's decision, who compare it with what they saw before.
 */
export async function runDatabase(
  database: PlannedDatabase,
  port: number,
  context: DatabaseContext,
): Promise<Running> {
  const { name, kind, url } = database;
  const { layout, passwordOf, log } = context;
  if (url !== undefined) {
    await prepareRunning(database, port, context);
    return { ended: new Promise(() => undefined), stop: async () => undefined };
  }
  const server = await startEmbeddedPostgres({
    dataDir: layout.postgres(name),
    port,
    superuserPassword: passwordOf(superuser).reveal(),
    settings: embeddedSettings[kind],
    log: (message) => log.info(message),
  });
  try {
    await ensureDatabase(server.url(superuser), name);
    await prepareRunning(database, port, context);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const ended = server.exited.then(({ code, signal }) => ({
    how: signal === null ? `ended with code ${code ?? 'unknown'}` : `was ended by ${signal}`,
    refused: false,
  }));
  return { pid: server.pid, ended, stop: () => server.stop() };
}

/** Makes what is missing in a database that runs: schemas, tables and roles, also of a peer that has come since. */
export async function prepareRunning(
  database: PlannedDatabase,
  port: number,
  { site, passwordOf }: DatabaseContext,
): Promise<void> {
  const { kind, peers } = database;
  await prepareDatabase({ adminUrl: adminUrlOf(database, port, passwordOf), site, kind, peers, passwordOf });
}

/** URL of an administrator, for tools that look into a database as a whole. */
export function adminUrlOf(
  { name, url }: PlannedDatabase,
  port: number,
  passwordOf: (role: string) => Secret,
): string {
  return url ?? embeddedUrl(port, name, superuser, passwordOf(superuser));
}

/** URL with which a program connects. */
export function programUrlOf(
  { name, url }: PlannedDatabase,
  port: number,
  role: string,
  password: Secret,
): string {
  if (url === undefined) return embeddedUrl(port, name, role, password);
  const own = new URL(url);
  own.username = encodeURIComponent(role);
  own.password = encodeURIComponent(password.reveal());
  return own.href;
}

function embeddedUrl(port: number, database: string, role: string, password: Secret): string {
  return `postgres://${role}:${password.reveal()}@127.0.0.1:${port}/${database}`;
}
