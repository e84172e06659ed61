import knex from 'knex';
import type { Knex } from 'knex';
import { translate } from './failures.ts';
import { openDatabase } from './database.ts';

export type { Knex } from 'knex';

/** One step of a schema. Its name (without extension) is stored in the database and never changes. */
export type Migration = {
  readonly name: string;
  up(knex: Knex): Promise<void>;
};

export type MigrateOptions = {
  readonly url: string;
  readonly migrations: readonly Migration[];
  /** Where they are run and remembered, where it is not the default one; made when missing. */
  readonly schema?: string | undefined;
  readonly applicationName: string;
};

/** Of the advisory lock under which one process migrates a database; the number means nothing. */
const MIGRATION_LOCK_ID = 7_305_102;

/**
 * Brings a database to the newest schema, all missing steps in one transaction; returns the names of the steps taken. Of
 * several processes one works and the others wait.
 *
 * @throws DualhomeError POSTGRES_*; the driver's error when a step fails, and nothing is changed
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const { url, schema, applicationName } = options;
  await using database = openDatabase({ url, applicationName, statementTimeoutMs: 0, poolMax: 1 });
  await using session = await database.session();
  await session.query('select pg_advisory_lock($1)', [MIGRATION_LOCK_ID]);
  if (schema !== undefined) await session.query(`create schema if not exists ${schema}`);
  return await runMigrations(options);
}

async function runMigrations({
  url,
  migrations,
  schema,
  applicationName,
}: MigrateOptions): Promise<readonly string[]> {
  const database = knex({
    client: 'pg',
    connection: { connectionString: url, application_name: applicationName },
    pool: { min: 0, max: 1 },
    ...(schema !== undefined && { searchPath: [schema] }),
    log: { warn: ignore, error: ignore, deprecate: ignore, debug: ignore },
  });
  const config: Knex.MigratorConfig = {
    migrationSource: sourceOf(migrations),
    ...(schema !== undefined && { schemaName: schema }),
  };
  try {
    // A migrator that was killed leaves knex's own lock behind; ours went with its connection.
    await database.migrate.forceFreeMigrationsLock(config);
    const [, names] = (await database.migrate.latest(config)) as [number, string[]];
    return names;
  } catch (error) {
    throw translate(error);
  } finally {
    await database.destroy();
  }
}

function sourceOf(migrations: readonly Migration[]): Knex.MigrationSource<Migration> {
  return {
    getMigrations: async () => [...migrations],
    getMigrationName: ({ name }) => name,
    getMigration: async (migration) => ({ up: (knex) => migration.up(knex), down: refuseDown }),
  };
}

async function refuseDown(): Promise<void> {
  throw new Error('migrations only go forward');
}

function ignore(): void {}
