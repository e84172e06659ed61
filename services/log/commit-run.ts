import { DualhomeError } from '../protocol/errors/index.ts';
import type { Position } from '../protocol/position.ts';
import type { TableChange } from '../model/table.ts';
import type { PipelineSession } from '../platform/postgres/pipeline.ts';
import { composeStatement, statementOf } from '../platform/postgres/composed-statement.ts';
import type { Part } from '../platform/postgres/composed-statement.ts';
import type { Statement } from '../platform/postgres/statement.ts';
import { byteaArray, timestampArray } from '../platform/postgres/binary-array.ts';
import type { Run } from './event.ts';
import { changeParts } from './table-statements.ts';

/** What who listens on a channel is told. */
export type Notice = { readonly channel: string; readonly text: string };

export type CommitOptions = {
  readonly notify?: Notice | undefined;
  /** Statements of the same transaction. */
  readonly also?: readonly Statement[] | undefined;
  /** Called when all but COMMIT has been sent; what it throws rolls back. */
  readonly beforeCommit?: (() => void) | undefined;
};

/**
 * Writes a run and what it changes in one statement, the head by compare-and-set: the one operation
 * by which a log grows, at home by appending, at a standby by applying.
 *
 * @throws LOG_FENCED when the head is no longer at `run.from`; nothing was written
 * @throws POSTGRES_COMMIT_UNKNOWN when the connection broke before the answer: read the head
 */
export async function commitRun(
  session: PipelineSession,
  run: Run,
  changes: readonly TableChange[],
  { notify, also = [], beforeCommit }: CommitOptions = {},
): Promise<void> {
  const statement = composeStatement({
    parts: [headPart(run.from, run.to), eventsPart(run), ...changes.flatMap(changeParts)],
    selected: [headMoved(run.from), ...(notify ? [notifyPart(notify)] : [])],
  });
  try {
    await session.transaction([statement, ...also], beforeCommit);
  } catch (error) {
    throw asFenced(error, run.from);
  }
}

/** Adds the events of a run to the log, without moving its head, or to a table of the same columns. */
export const insertStatement = (run: Run, table = 'log'): Statement => statementOf(eventsPart(run, table));

function eventsPart({ from, events, hashes }: Run, table = 'log'): Part {
  return {
    name: table === 'log' ? 'events' : `events of ${table}`,
    values: [
      from.seq,
      timestampArray(events.map(({ timeMs }) => timeMs)),
      byteaArray(events.map(({ body }) => body)),
      byteaArray(hashes),
    ],
    text: (parameter) =>
      `insert into ${table} (seq, time, body, hash)
       select ${parameter(1)}::bigint + position, time, body, hash
       from unnest(${parameter(2)}::timestamptz[], ${parameter(3)}::bytea[], ${parameter(4)}::bytea[])
         with ordinality as event (time, body, hash, position)`,
  };
}

const headPart = (from: Position, to: Position): Part => ({
  name: 'head',
  values: [from.incarnation, from.seq, from.hash, to.incarnation, to.seq, to.hash],
  text: (parameter) =>
    `update log_head set incarnation = ${parameter(4)}, seq = ${parameter(5)}, hash = ${parameter(6)}
     where incarnation = ${parameter(1)} and seq = ${parameter(2)} and hash = ${parameter(3)}
     returning seq`,
});

/** Fails with SQLSTATE DH001 where the head was not at `from`. */
const headMoved = (from: Position): Part => ({
  name: 'moved',
  values: [from.seq],
  text: (parameter) => `require_head(exists (select from head), ${parameter(1)}::bigint)`,
});

const notifyPart = ({ channel, text }: Notice): Part => ({
  name: 'notify',
  values: [channel, text],
  text: (parameter) => `pg_notify(${parameter(1)}, ${parameter(2)})`,
});

/** The compare-and-set of the head alone; SQLSTATE DH001 where it is no longer at `from`. */
export function advanceStatement(from: Position, to: Position): Statement {
  return composeStatement({ parts: [headPart(from, to)], selected: [headMoved(from)] });
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
