import type { Database } from '../platform/postgres/database.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import { genesisHash } from '../protocol/position.ts';
import type { Position } from '../protocol/position.ts';
import type { LogDefinition } from './definition.ts';

const noIncarnation = '00000000-0000-0000-0000-000000000000';

/**
 * Makes the copy of a log as empty as it was made: rows, events, what it was filled from and its proofs. In one
 * transaction, and only from the position named.
 *
 * @throws LOG_FENCED where it is at another by now
 */
export async function emptyCopy(
  database: Database,
  definition: LogDefinition,
  { seq, hash }: Position,
  schema = 'public',
): Promise<void> {
  const guarded = [...definition.tables.map(({ name }) => name), 'log'];
  await database.transaction(async (tx) => {
    await tx.query(`set local search_path = ${schema}`);
    for (const name of guarded) await tx.query(`alter table ${name} disable trigger user`);
    await tx.query(`truncate ${[...guarded, 'snapshots', 'proofs'].join(', ')}`);
    for (const name of guarded) await tx.query(`alter table ${name} enable trigger user`);
    const { rowCount } = await tx.query(
      'update log_head set incarnation = $1, seq = 0, hash = $2 where seq = $3 and hash = $4',
      [noIncarnation, genesisHash, seq, hash],
    );
    if (rowCount === 0) throw new DualhomeError('LOG_FENCED', { facts: { seq } });
  });
}
