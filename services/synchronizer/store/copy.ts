import { DualhomeError } from '../../protocol/errors/index.ts';
import type { LogName } from '../../protocol/names.ts';
import type { Proof } from '../../protocol/link/report.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';

/**
 * Makes a connection the one that applies `log` to the copy in its schema, for as long as it lives: an
 * advisory lock of the session. Commits are made durable whatever the server's default, since they
 * are acknowledged.
 *
 * @throws LOG_FENCED while another connection does
 */
export async function claimLane(session: Queryable, log: LogName): Promise<void> {
  await session.query(
    `select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`,
  );
  const { rows } = await session.query<{ claimed: boolean }>(
    `select pg_try_advisory_lock(hashtextextended(concat_ws('.', 'dualhome.lane', current_schema(), $1::text), 0)) as claimed`,
    [log],
  );
  if (rows[0]?.claimed) return;
  throw new DualhomeError('LOG_FENCED', { detail: 'another connection applies to this copy' });
}

/** The newest comparison with home, or undefined before the first. */
export async function readProof(copy: Queryable): Promise<Proof | undefined> {
  const { rows } = await copy.query<{ seq: number; equal: boolean; rows: number; at: Date }>({
    name: 'synchronizer.proof',
    text: 'select seq, equal, rows, proven_at as at from proofs order by id desc limit 1',
  });
  const [proof] = rows;
  return proof && { seq: proof.seq, equal: proof.equal, rows: proof.rows, provenAt: proof.at.toISOString() };
}
