import { migrations as configMigrations } from '../../../migrations/config/index.ts';
import { migrations as registrationMigrations } from '../../../migrations/registration/index.ts';
import { migrations as sharedMigrations } from '../../../migrations/shared/index.ts';
import { ownSchema, peerSchema } from '../../protocol/names.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { openDatabase } from '../../platform/postgres/database.ts';
import type { Session } from '../../platform/postgres/database.ts';
import { migrate } from '../../platform/postgres/migrate.ts';
import { applyAccess } from './access.ts';
import type { AccessOptions } from './access.ts';

const applicationName = 'dualhome site';

/** What the SQL used needs (`MERGE ... RETURNING`, builtin collations). */
const versionMin = 170_000;

export type PrepareOptions = AccessOptions & {
  /** Of a role that owns the database and may create roles. */
  readonly adminUrl: string;
};

/**
 * Brings a database to the newest schema and gives the programs their roles; done again it changes nothing.
 *
 * @throws SITE_DATABASE_TOO_OLD, POSTGRES_UNREACHABLE, POSTGRES_REFUSED
 */
export async function prepareDatabase({ adminUrl, ...access }: PrepareOptions): Promise<void> {
  await withAdmin(adminUrl, checkVersion);
  const options = { url: adminUrl, applicationName };
  if (access.kind === 'shared') {
    await migrate({ ...options, migrations: sharedMigrations });
    for (const schema of [ownSchema, ...access.peers.map(peerSchema)])
      await migrate({ ...options, schema, migrations: registrationMigrations });
  } else {
    await migrate({ ...options, migrations: configMigrations });
  }
  await oneAfterTheOther(() => withAdmin(adminUrl, (session) => applyAccess(session, access)));
}

/** Makes the database `name` on the server that `adminUrl` names, unless it is there. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  await withAdmin(adminUrl, async (session) => {
    const { rowCount } = await session.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await session.query(`create database "${name}" template template0`);
  });
}

/** Whether a database can be prepared. @throws SITE_DATABASE_TOO_OLD, SITE_DATABASE_RIGHTS_MISSING, POSTGRES_* */
export async function probeDatabase(adminUrl: string): Promise<void> {
  await withAdmin(adminUrl, async (session) => {
    await checkVersion(session);
    await checkRights(session);
  });
}

async function checkVersion(session: Session): Promise<void> {
  const { rows } = await session.query<{ number: number; text: string }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as text`,
  );
  const { number = 0, text = 'unknown' } = rows[0] ?? {};
  if (number < versionMin) {
    throw new DualhomeError('SITE_DATABASE_TOO_OLD', {
      detail: `PostgreSQL ${text}`,
      facts: { version: text },
    });
  }
}

/** It makes tables and roles; `log replay` and `log verify` rebuild states in temporary tables. */
async function checkRights(session: Session): Promise<void> {
  const { rows } = await session.query<{
    owns: string | null;
    roles: string | null;
    temporary: string | null;
  }>(
    `select case when not pg_has_role(datdba, 'usage') then format('alter database %I owner to %I', datname, rolname) end as owns,
            case when not (rolsuper or rolcreaterole) then format('alter role %I createrole', rolname) end as roles,
            case when not has_database_privilege(datname, 'temporary')
                 then format('grant temporary on database %I to %I', datname, rolname) end as temporary
     from pg_database, pg_roles where datname = current_database() and rolname = current_user`,
  );
  const missing = Object.values(rows[0] ?? {}).filter((sql) => sql !== null);
  if (missing.length > 0)
    throw new DualhomeError('SITE_DATABASE_RIGHTS_MISSING', { detail: missing.join('; ') });
}

async function withAdmin<T>(url: string, work: (session: Session) => Promise<T>): Promise<T> {
  await using database = openDatabase({ url, applicationName, poolMax: 1 });
  await using session = await database.session();
  return await work(session);
}

let last: Promise<unknown> = Promise.resolve();

/** Roles belong to a whole server: where databases share one, two that change a role at a time would collide. */
function oneAfterTheOther<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work);
  last = result.catch(() => undefined);
  return result;
}
