import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Queryable } from '../../../../services/platform/postgres/statement.ts';
import { kamailioSchemaFolder } from '../installed.ts';
import { ha1Of } from '../users.ts';
import type { SipUser } from '../users.ts';

const tables = ['standard', 'usrloc', 'auth_db'];

/** Makes the tables a registrar needs, as the installed Kamailio has them, and its users. */
export async function createKamailioTables(database: Queryable, users: readonly SipUser[]): Promise<void> {
  for (const table of tables)
    await database.query(await readFile(join(kamailioSchemaFolder, `${table}-create.sql`), 'utf8'));
  await database.query(
    `insert into subscriber (username, domain, ha1)
     select * from unnest($1::text[], $2::text[], $3::text[])`,
    [users.map(({ name }) => name), users.map(({ domain }) => domain), users.map(ha1Of)],
  );
}
