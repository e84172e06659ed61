import { schemasOf } from '../../log/snapshot/staging.ts';
import { peerSchema } from '../../protocol/names.ts';
import type { Session } from '../../platform/postgres/database.ts';
import type { Secret } from '../../platform/logging/secret.ts';
import { databasePrograms, grants } from './grants.ts';
import type { Access, DatabaseProgram } from './grants.ts';
import { roleName } from './plan.ts';
import type { DatabaseKind } from './plan.ts';

export type AccessOptions = {
  readonly site: string;
  readonly kind: DatabaseKind;
  /** Whose copies the database holds. */
  readonly peers: readonly string[];
  /** Password of a role. */
  readonly passwordOf: (role: string) => Secret;
};

/** Of a statement made by `format()` in the server, which knows how names and texts are quoted. */
type Template = readonly [format: string, ...names: string[]];

/**
 * Makes the programs' roles and gives each what the matrix says and nothing else. In one transaction, so that a
 * running program never finds a right missing in between. Doing it again changes nothing.
 */
export async function applyAccess(admin: Session, options: AccessOptions): Promise<void> {
  const { kind, peers, passwordOf } = options;
  await admin.transaction(async (tx) => {
    await execute(tx, [`revoke all on database %I from public`, await databaseName(tx)]);
    for (const program of databasePrograms) {
      const accesses = grants[kind][program];
      for (const role of accesses ? rolesOf(program, options) : []) {
        await ensureRole(tx, role, passwordOf(role));
        await execute(tx, ['grant connect on database %I to %I', await databaseName(tx), role]);
        for (const access of accesses ?? []) await grantAccess(tx, role, access, peers);
      }
    }
  });
}

async function ensureRole(tx: Session, role: string, password: Secret): Promise<void> {
  const { rowCount } = await tx.query('select from pg_roles where rolname = $1', [role]);
  const verb = rowCount === 0 ? 'create' : 'alter';
  await execute(tx, [`${verb} role %I login password %L`, role, password.reveal()]);
}

function rolesOf(program: DatabaseProgram, { site, peers }: AccessOptions): readonly string[] {
  return program === 'standbyProcessor'
    ? peers.map((peer) => roleName(site, program, peer))
    : [roleName(site, program)];
}

async function grantAccess(
  tx: Session,
  role: string,
  { schema, tables, owner }: Access,
  peers: readonly string[],
): Promise<void> {
  for (const name of schema === 'peers' ? peers.map(peerSchema) : [schema]) {
    await execute(tx, ['grant usage on schema %I to %I', name, role]);
    if (owner) await handOver(tx, role, name);
    else await grantTables(tx, role, name, tables);
  }
}

async function grantTables(
  tx: Session,
  role: string,
  schema: string,
  tables: Access['tables'],
): Promise<void> {
  await execute(tx, ['revoke all on all tables in schema %I from %I', schema, role]);
  for (const [table, privileges] of Object.entries(tables)) {
    await execute(tx, [`grant ${privileges.join(', ')} on %I.%I to %I`, schema, table, role]);
  }
}

/**
 * Gives the tables to a role that fills new ones in a schema of its own and swaps them in. An
 * administrator who is no superuser has to be a member of the new owner.
 */
async function handOver(tx: Session, role: string, schema: string): Promise<void> {
  await execute(tx, ['grant create on schema %I to %I', schema, role]);
  const { staging } = schemasOf(schema);
  await execute(tx, ['create schema if not exists %I', staging]);
  await execute(tx, ['grant usage, create on schema %I to %I', staging, role]);
  const { rows } = await tx.query<{ table: string }>(
    `select tablename as table from pg_tables
     where schemaname = $1 and tablename not like 'knex%' and tableowner <> $2`,
    [schema, role],
  );
  if (rows.length === 0) return;
  const { rows: self } = await tx.query<{ superuser: boolean }>(
    'select rolsuper as superuser from pg_roles where rolname = current_user',
  );
  if (!self[0]?.superuser) await execute(tx, ['grant %I to current_user', role]);
  for (const { table } of rows) await execute(tx, ['alter table %I.%I owner to %I', schema, table, role]);
}

async function databaseName(tx: Session): Promise<string> {
  const { rows } = await tx.query<{ name: string }>('select current_database() as name');
  return rows[0]?.name ?? '';
}

async function execute(tx: Session, [format, ...names]: Template): Promise<void> {
  const { rows } = await tx.query<{ sql: string }>('select format($1, variadic $2::text[]) as sql', [
    format,
    names,
  ]);
  await tx.query(rows[0]?.sql ?? '');
}
