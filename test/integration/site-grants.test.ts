import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { applyAccess } from '../../services/site/databases/access.ts';
import { databasePrograms, grants } from '../../services/site/databases/grants.ts';
import type { Access, DatabaseProgram } from '../../services/site/databases/grants.ts';
import { roleName } from '../../services/site/databases/plan.ts';
import type { DatabaseKind } from '../../services/site/databases/plan.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import type { Queryable } from '../../services/platform/postgres/database.ts';
import { sqlStateOf } from '../../services/platform/postgres/failures.ts';
import { testDatabase } from '../support/postgres.ts';

const operations = {
  select: (table: string) => `select from ${table} limit 0`,
  insert: (table: string) =>
    `insert into ${table} overriding system value select * from ${table} where false`,
  update: (table: string, column: string) => `update ${table} set ${column} = ${column} where false`,
  delete: (table: string) => `delete from ${table} where false`,
  truncate: (table: string) => `truncate ${table}`,
} as const;

const denied = '42501';
const passwordOf = (role: string): Secret => new Secret(`password of ${role}`);

type Table = { readonly schema: string; readonly name: string; readonly column: string };

async function tablesOf(admin: Queryable): Promise<readonly Table[]> {
  const { rows } = await admin.query<Table>(
    `select table_schema as schema, table_name as name, min(column_name) filter (where is_identity = 'NO') as column
     from information_schema.columns
     where table_schema in ('public', 'site', 'own', 'peer_c1', 'peer_c2') and table_name not like 'knex%'
     group by 1, 2`,
  );
  return rows;
}

/** What the matrix says of a schema; `peers` says it of each peer's. */
function accessTo(accesses: readonly Access[], schema: string): Access | undefined {
  return accesses.find((access) => access.schema === (schema.startsWith('peer_') ? 'peers' : schema));
}

/** Whether the server permits it; what the guards say of it does not count. */
async function isPermitted(session: Queryable, sql: string): Promise<boolean> {
  try {
    await session.query(sql);
    return true;
  } catch (error) {
    if (sqlStateOf(error) === denied) return false;
    if (sqlStateOf(error)?.startsWith('DH')) return true;
    throw error;
  }
}

const peersOf = { home: [], standby: ['c2'], shared: ['c1', 'c2'] } as const;

describe.each(['home', 'standby', 'shared'] as const)('in a %s database', (kind: DatabaseKind) => {
  it.each(databasePrograms)(
    'the %s may do what the matrix says and nothing else',
    async (program: DatabaseProgram) => {
      await using prepared = await testDatabase(kind === 'shared' ? 'shared' : 'config');
      const site = `t${randomBytes(6).toString('hex')}`;
      const peers = peersOf[kind];
      const role = roleName(site, program, program === 'standbyProcessor' ? 'c2' : undefined);
      const accesses = grants[kind][program];
      await using session = await prepared.database.session();
      await applyAccess(session, { site, kind, peers, passwordOf });
      await applyAccess(session, { site, kind, peers, passwordOf });

      const url = new URL(prepared.url);
      [url.username, url.password] = [role, passwordOf(role).reveal()];
      await using database = openDatabase({ url: url.href, applicationName: 'test', poolMax: 1 });
      if (!accesses) {
        await expect(database.query('select 1')).rejects.toThrow('POSTGRES_REFUSED');
        return;
      }
      const found: Record<string, readonly string[]> = {};
      const expected: Record<string, readonly string[]> = {};
      for (const { schema, name, column } of await tablesOf(prepared.database)) {
        await database.query(`set search_path = ${schema}`);
        const permitted: string[] = [];
        for (const [operation, sqlOf] of Object.entries(operations)) {
          if (await isPermitted(database, sqlOf(`${schema}.${name}`, column))) permitted.push(operation);
        }
        found[`${schema}.${name}`] = permitted;
        const access = accessTo(accesses, schema);
        expected[`${schema}.${name}`] = access?.owner
          ? Object.keys(operations)
          : (access?.tables[name] ?? []);
      }
      expect(found).toEqual(expected);
      expect(Object.keys(found).length).toBeGreaterThan(1);
      for (const schema of new Set(Object.keys(found).map((name) => name.split('.')[0] ?? ''))) {
        const creates = await isPermitted(database, `create table ${schema}.staging ()`);
        expect(creates, schema).toBe(accessTo(accesses, schema)?.owner ?? false);
      }
      expect(await isPermitted(database, 'create temporary table t ()')).toBe(false);
      await session.query(`drop owned by ${role}`);
    },
  );
});

it('a role whose name would be too long is told apart by a digest', () => {
  const long = 'a'.repeat(31);
  const [one, other] = [`${long.slice(1)}b`, `${long.slice(1)}c`].map((peer) =>
    roleName(long, 'standbyProcessor', peer),
  );
  expect(one).toHaveLength(63);
  expect(one).not.toBe(other);
});
