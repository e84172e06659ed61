import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../services/platform/logging/secret.ts';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import type { DualhomeError } from '../../services/protocol/errors/index.ts';
import { databasePrograms } from '../../services/site/databases/grants.ts';
import { roleName } from '../../services/site/databases/plan.ts';
import type { DatabaseKind } from '../../services/site/databases/plan.ts';
import { prepareDatabase, probeDatabase } from '../../services/site/databases/prepare.ts';
import { testDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

const passwordOf = (role: string): Secret => new Secret(`password of ${role}`);

/** The database's URL as another role. */
function urlAs({ url }: TestDatabase, role: string, password: string): string {
  const own = new URL(url);
  [own.username, own.password] = [role, password];
  return own.href;
}

const rolesOf = (site: string, peers: readonly string[]): readonly string[] =>
  databasePrograms.flatMap((program) =>
    program === 'standbyProcessor'
      ? peers.map((peer) => roleName(site, program, peer))
      : [roleName(site, program)],
  );

describe.each<DatabaseKind>(['home', 'standby', 'shared'])('a %s database of the operator', (kind) => {
  it('is prepared by a role that owns it and is no superuser, again with one more peer, and again without a change', async () => {
    await using empty = await testDatabase('empty');
    const suffix = randomBytes(6).toString('hex');
    const [site, admin] = [`t${suffix}`, `admin_${suffix}`];
    const peers = kind === 'home' ? [] : ['c2'];
    const role = roleName(site, 'synchronizer');
    await empty.database.query(`create role ${admin} login createrole password 'x'`);
    await empty.database.query(`alter database ${empty.name} owner to ${admin}`);
    const adminUrl = urlAs(empty, admin, 'x');
    try {
      await prepareDatabase({ adminUrl, site, kind, peers: [], passwordOf });
      await prepareDatabase({ adminUrl, site, kind, peers, passwordOf });
      await prepareDatabase({ adminUrl, site, kind, peers, passwordOf });
      const table = kind === 'shared' ? 'peer_c2.log_head' : 'log_head';
      const url = urlAs(empty, role, passwordOf(role).reveal());
      await using database = openDatabase({ url, applicationName: 'test', poolMax: 1 });
      const { rowCount } = await database.query(`select * from ${table}`);
      expect(rowCount).toBe(1);
    } finally {
      for (const each of [...rolesOf(site, peers), admin]) {
        const { rowCount } = await empty.database.query('select from pg_roles where rolname = $1', [each]);
        if (rowCount !== 0) {
          await empty.database.query(`reassign owned by ${each} to postgres`);
          await empty.database.query(`drop owned by ${each}`);
          await empty.database.query(`drop role ${each}`);
        }
      }
    }
  });
});

it('a database in which our role may not do what a site needs is found before the start, with what to grant', async () => {
  await using empty = await testDatabase('empty');
  const role = `admin_${randomBytes(6).toString('hex')}`;
  await empty.database.query(`create role ${role} login password 'x'`);
  await empty.database.query(`revoke all on database ${empty.name} from public`);
  await empty.database.query(`grant connect on database ${empty.name} to ${role}`);
  const adminUrl = urlAs(empty, role, 'x');
  const refused = await probeDatabase(adminUrl).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'SITE_DATABASE_RIGHTS_MISSING' });
  const { detail = '' } = refused as DualhomeError;
  expect(detail.split('; ')).toEqual([
    `alter database ${empty.name} owner to ${role}`,
    `alter role ${role} createrole`,
    `grant temporary on database ${empty.name} to ${role}`,
  ]);
  for (const sql of detail.split('; ')) await empty.database.query(sql);
  await probeDatabase(adminUrl);
  await empty.database.query(`alter database ${empty.name} owner to postgres`);
  await empty.database.query(`revoke all on database ${empty.name} from ${role}`);
  await empty.database.query(`drop role ${role}`);
});
