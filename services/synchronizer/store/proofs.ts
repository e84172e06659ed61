import type { Comparison } from '../../protocol/digest.ts';
import type { Position } from '../../protocol/position.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';

/** Keeps the outcome of a comparison beside the copy it is about. */
export async function insertProof(
  standby: Queryable,
  { incarnation, seq, hash }: Position,
  { rows, equal, differences }: Comparison,
): Promise<void> {
  await standby.query(
    `insert into proofs (incarnation, seq, hash, rows, equal, differences) values ($1, $2, $3, $4, $5, $6)`,
    [incarnation, seq, hash, rows, equal, JSON.stringify(differences)],
  );
}
