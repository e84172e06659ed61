import type { Database } from '../../services/platform/postgres/database.ts';

/**
 * Puts a log back to `seq`, as a restored backup does; 0 empties it. The rows of configuration stay:
 * they are what the events beyond would write again.
 */
export async function rewind(
  { database }: { readonly database: Database },
  seq: number,
  schema = 'public',
): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query(`set local search_path = ${schema}`);
    for (const table of ['log', 'incarnations']) await tx.query(`alter table ${table} disable trigger user`);
    await tx.query('delete from log where seq > $1', [seq]);
    await tx.query('delete from incarnations where first_seq > $1', [seq]);
    await tx.query(
      `update log_head set seq = $1,
         hash = coalesce((select hash from log where seq = $1), decode(repeat('00', 32), 'hex')),
         incarnation = coalesce((select incarnation::uuid from incarnations order by first_seq desc limit 1),
                                '00000000-0000-0000-0000-000000000000')`,
      [seq],
    );
    for (const table of ['log', 'incarnations']) await tx.query(`alter table ${table} enable trigger user`);
  });
}
