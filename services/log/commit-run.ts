import { DualhomeError } from '../protocol/errors/index.ts';
import type { Position } from '../protocol/position.ts';
import type { TableChange } from '../model/table.ts';
import type { PipelineSession } from '../platform/postgres/pipeline.ts';
import type { Statement } from '../platform/postgres/statement.ts';
import { byteaArray, timestampArray } from '../platform/postgres/binary-array.ts';
import type { Run } from './event.ts';
import { deleteStatement, upsertStatement } from './table-statements.ts';

export type CommitOptions = {
  /** Statements of the same transaction, such as a notification. */
  readonly also?: readonly Statement[] | undefined;
  /** Called when all but COMMIT has been sent; what it throws rolls back. */
  readonly beforeCommit?: (() => void) | undefined;
};

/**
 * Writes a run and what it changes in one transaction and one round trip, the head by
 * compare-and-set as its last statement: the one operation by which a log grows, at home by
 * appending, at a standby by applying.
 *
 * @throws LOG_FENCED when the head is no longer at `run.from`; nothing was written
 * @throws POSTGRES_COMMIT_UNKNOWN when the connection broke before the answer: read the head
 */
export async function commitRun(
  session: PipelineSession,
  run: Run,
  changes: readonly TableChange[],
  { also = [], beforeCommit }: CommitOptions = {},
): Promise<void> {
  try {
    const statements = [insertStatement(run), ...changes.flatMap(changeStatements), ...also];
    await session.transaction([...statements, advanceStatement(run.from, run.to)], beforeCommit);
  } catch (error) {
    throw asFenced(error, run.from);
  }
}

/** The statements of a change: the rows it leaves, then the rows it removes. */
export function changeStatements({ table, upserts, deletes }: TableChange): readonly Statement[] {
  return [
    ...(upserts.length > 0 ? [upsertStatement(table, upserts)] : []),
    ...(deletes.length > 0 ? [deleteStatement(table, deletes)] : []),
  ];
}

/** Adds the events of a run to the log, without moving its head. */
export function insertStatement({ from, events, hashes }: Run): Statement {
  return {
    name: 'log.insert',
    text: `insert into log (seq, time, body, hash)
           select $1::bigint + position, time, body, hash
           from unnest($2::timestamptz[], $3::bytea[], $4::bytea[]) with ordinality as event (time, body, hash, position)`,
    values: [
      from.seq,
      timestampArray(events.map(({ timeMs }) => timeMs)),
      byteaArray(events.map(({ body }) => body)),
      byteaArray(hashes),
    ],
  };
}

/** The compare-and-set of the head; SQLSTATE DH001 where it is no longer at `from`. */
export function advanceStatement(from: Position, to: Position): Statement {
  return {
    name: 'log.advance',
    text: 'select advance_head($1, $2, $3, $4, $5, $6)',
    values: [from.incarnation, from.seq, from.hash, to.incarnation, to.seq, to.hash],
  };
}

function asFenced(reason: unknown, from: Position): unknown {
  const fenced =
    reason instanceof Error && 'code' in reason && (reason.code === 'DH001' || isLogCollision(reason));
  if (!fenced) return reason;
  return new DualhomeError('LOG_FENCED', {
    detail: `The head of the log is no longer at ${from.seq}; another process has written it.`,
    cause: reason,
  });
}

/** Another writer has already stored an event with one of our seqs. */
function isLogCollision(error: Error & { code?: unknown; constraint?: unknown }): boolean {
  return error.code === '23505' && error.constraint === 'log_pkey';
}
