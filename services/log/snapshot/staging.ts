import type { Table } from '../../model/table.ts';
import type { Database, Queryable, Session } from '../../platform/postgres/database.ts';

/** Where the tables of a copy are, and where they are filled before they take the place of those. */
export type Schemas = { readonly live: string; readonly staging: string };

/** Of the copy in a schema; a standby database has its in the default one. */
export const schemasOf = (live = 'public'): Schemas => ({
  live,
  staging: live === 'public' ? 'staging' : `staging_${live}`,
});

/**
 * Removes what an earlier import left. The schema itself stays: a role that may fill and swap tables
 * need not be one that may make schemas.
 */
export async function clearStaging(database: Queryable, { staging }: Schemas): Promise<void> {
  const { rows } = await database.query<{ schema: string | null; tables: string | null }>(
    `select to_regnamespace('${staging}')::text as schema,
            string_agg(format('%I.%I', schemaname, tablename), ', ') as tables
     from pg_tables where schemaname = '${staging}'`,
  );
  const [found] = rows;
  if (!found?.schema) await database.query(`create schema ${staging}`);
  if (found?.tables) await database.query(`drop table ${found.tables} cascade`);
}

/** Makes empty tables like the live ones: columns, checks, storage and grants, but no index and no guard yet. */
export async function createStaging(tx: Session, tables: readonly Table[], schemas: Schemas): Promise<void> {
  const { live, staging } = schemas;
  for (const { name } of tables) {
    await tx.query(
      `create table ${staging}.${name} (like ${live}.${name} including all excluding indexes excluding statistics)`,
    );
    for (const sql of await propertiesOf(tx, name, schemas)) await tx.query(sql);
  }
}

/** Statements that give a staging table the storage parameters and grants of the live one. */
async function propertiesOf(
  tx: Queryable,
  name: string,
  { live, staging }: Schemas,
): Promise<readonly string[]> {
  const { rows } = await tx.query<{ sql: string }>(
    `select format('alter table ${staging}.%I set (%s)', relname, array_to_string(reloptions, ', ')) as sql
     from pg_class where oid = $1::regclass and reloptions is not null
     union all
     select format('grant %s on ${staging}.%I to %s', privilege_type, relname,
                   case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end)
     from pg_class, aclexplode(relacl) as granted
     where pg_class.oid = $1::regclass and grantee <> relowner`,
    [`${live}.${name}`],
  );
  return rows.map(({ sql }) => sql);
}

/** Statements that build the indexes of a live table on the staging one, under the same names. */
export async function indexStatements(
  database: Queryable,
  { name }: Table,
  { live, staging }: Schemas,
): Promise<readonly string[]> {
  const { rows } = await database.query<{ sql: string }>(
    `select replace(pg_get_indexdef(indexrelid), ' ON ${live}.${name} ', ' ON ${staging}.${name} ') as sql
     from pg_index where indrelid = $1::regclass order by indisprimary desc, indexrelid`,
    [`${live}.${name}`],
  );
  return rows.map(({ sql }) => sql);
}

/** Makes constraints of the indexes that carry one (primary key, unique): a matter of the catalog. */
export async function constrainStaging(
  database: Queryable,
  { name }: Table,
  { live, staging }: Schemas,
): Promise<void> {
  const { rows } = await database.query<{ sql: string }>(
    `select format('alter table ${staging}.%I add constraint %I %s using index %I', $2::text, conname,
                   case contype when 'p' then 'primary key' else 'unique' end, conname) as sql
     from pg_constraint where conrelid = $1::regclass and contype in ('p', 'u')`,
    [`${live}.${name}`, name],
  );
  for (const { sql } of rows) await database.query(sql);
}

/** Statements that make the triggers of a live table anew, for the one that takes its place. */
export async function triggerStatements(
  database: Queryable,
  { name }: Table,
  { live }: Schemas,
): Promise<readonly string[]> {
  const { rows } = await database.query<{ sql: string }>(
    `select pg_get_triggerdef(oid) as sql from pg_trigger
     where tgrelid = $1::regclass and not tgisinternal order by tgname`,
    [`${live}.${name}`],
  );
  return rows.map(({ sql }) => sql);
}

/** Ends what our connections are doing when `signal` aborts, also a statement that would run for long. */
export function cancelOnAbort(
  database: Database,
  sessions: readonly Session[],
  signal: AbortSignal | undefined,
): Disposable {
  const cancel = (): void => {
    const processIds = sessions.map(({ processId }) => processId);
    database
      .query('select pg_cancel_backend(pid) from unnest($1::integer[]) as pid', [processIds])
      .catch(() => undefined);
  };
  signal?.addEventListener('abort', cancel, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', cancel) };
}
