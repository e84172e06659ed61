import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import type { Database, Session } from '../../services/platform/postgres/database.ts';
import { migrate } from '../../services/platform/postgres/migrate.ts';
import type { Migration } from '../../services/platform/postgres/migrate.ts';

import { ownSchema, peerSchema } from '../../services/protocol/names.ts';

export { testServer } from './test-server.ts';

/** Which schema a test database has; a shared one has the registration logs of `own` and of peers c1 and c2. */
export type TestSchema = 'config' | 'shared' | 'empty';

export type TestDatabase = AsyncDisposable & {
  readonly name: string;
  /** As the superuser. */
  readonly url: string;
  /** Open, as the superuser; closed with the test database. */
  readonly database: Database;
};

const registrationSchemas = [ownSchema, peerSchema('c1'), peerSchema('c2')];

const CLOSING_MS = 3_000;
const POLL_MS = 5;

/**
 * A fresh database with the schema asked for. Its disposal drops it, and throws when the test has left connections open:
 * what leaks in a test leaks in production.
 */
export async function testDatabase(schema: TestSchema): Promise<TestDatabase> {
  const name = `test_${schema}_${randomBytes(6).toString('hex')}`;
  await withServer(async (server) => {
    const template = schema === 'empty' ? 'template0' : await ensureTemplate(server, schema);
    await server.query(`create database ${name} template ${template} strategy file_copy`);
  });
  const url = urlOf(name);
  const database = openDatabase({ url, applicationName: 'test' });
  return {
    name,
    url,
    database,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      const leaks = await withServer((server) => dropDatabase(server, name));
      if (leaks.length > 0) throw new Error(`connections left open:\n${leaks.join('\n')}`);
    },
  };
}

function urlOf(name: string): string {
  return new URL(`/${name}`, inject('postgresUrl')).href;
}

async function withServer<T>(fn: (server: Session) => Promise<T>): Promise<T> {
  await using database = openDatabase({
    url: inject('postgresUrl'),
    applicationName: 'test support',
    poolMax: 1,
  });
  await using session = await database.session();
  return await fn(session);
}

/** Migrated once per run, whichever test comes first; complete when it has its name. */
async function ensureTemplate(server: Session, schema: 'config' | 'shared'): Promise<string> {
  const name = `template_${schema}`;
  await server.query('select pg_advisory_lock(hashtext($1))', [name]);
  const { rowCount } = await server.query('select from pg_database where datname = $1', [name]);
  if (rowCount === 0) {
    const draft = `${name}_draft`;
    await server.query(`drop database if exists ${draft}`);
    await server.query(`create database ${draft} template template0`);
    await migrateTo(schema, urlOf(draft));
    await waitForNoConnection(server, draft);
    await server.query(`alter database ${draft} rename to ${name}`);
  }
  await server.query('select pg_advisory_unlock(hashtext($1))', [name]);
  return name;
}

/** Brings an empty database, of a test's own server, to the schema. */
export async function migrateTo(schema: 'config' | 'shared', url: string): Promise<void> {
  const options = { url, applicationName: 'test support' };
  await migrate({ ...options, migrations: await loadMigrations(schema) });
  for (const name of schema === 'shared' ? registrationSchemas : [])
    await migrate({ ...options, schema: name, migrations: await loadMigrations('registration') });
}

async function loadMigrations(schema: 'config' | 'shared' | 'registration'): Promise<readonly Migration[]> {
  const path = join(import.meta.dirname, '../../migrations', schema, 'index.ts');
  const module = (await import(path)) as { readonly migrations: readonly Migration[] };
  return module.migrations;
}

/** Drops it, whoever is connected; returns who was, after a grace period for connections being closed. */
async function dropDatabase(server: Session, name: string): Promise<readonly string[]> {
  const leaks = await waitForNoConnection(server, name);
  await server.query(`drop database ${name} with (force)`);
  return leaks;
}

async function waitForNoConnection(server: Session, name: string): Promise<readonly string[]> {
  const deadline = performance.now() + CLOSING_MS;
  for (;;) {
    const { rows } = await server.query<{ text: string }>(
      `select format('%s (%s): %s', application_name, state, query) as text
       from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
      [name],
    );
    if (rows.length === 0 || performance.now() > deadline) return rows.map(({ text }) => text);
    await sleep(POLL_MS);
  }
}
