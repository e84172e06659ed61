import type { Table } from '../../model/table.ts';
import type { Database, Queryable, Session } from '../../platform/postgres/database.ts';
import { sqlStateOf } from '../../platform/postgres/failures.ts';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import type { SnapshotHeader } from '../../protocol/manifest.ts';
import type { Position } from '../../protocol/position.ts';
import { describeScope, isWhole } from '../../protocol/scope.ts';
import { failpoint } from '../../platform/lifecycle/failpoint.ts';
import { delay } from '../../platform/lifecycle/abort.ts';
import { advanceStatement } from '../commit-run.ts';
import { copyNotice } from '../copy-notice.ts';
import { rangeCondition } from '../key-range.ts';
import { columnsOf } from '../tables.ts';
import { triggerStatements } from './staging.ts';
import type { Schemas } from './staging.ts';

export type Swap = {
  readonly schemas: Schemas;
  readonly header: SnapshotHeader;
  readonly tables: readonly Table[];
  /** The head of the standby, which must not have moved, and where it goes. */
  readonly from: Position;
  readonly to: Position;
  readonly rows: number;
  readonly bytes: number;
};

/** What a swap has left in the standby. */
export type SwapRecord = { readonly seq: number; readonly rows: number; readonly bytes: number };

/** Longer than deadlock_timeout, at which the server ends an autovacuum that is in the way. */
const vacuumTimeoutMs = 3000;

/** Readers are kept waiting no longer than this, then let through before the next attempt. */
const lockTimeoutMs = 500;
const attemptsMax = 20;
const pauseMs = 250;

/** The swap of a transfer, if it was done: that it is recorded and that it happened is one commit. */
export async function findSwap(queryable: Queryable, transfer: string): Promise<SwapRecord | undefined> {
  const { rows } = await queryable.query<SwapRecord>(
    'select seq, rows, bytes from snapshots where transfer = $1',
    [transfer],
  );
  return rows[0];
}

/**
 * Puts staging in the place of what is live, in one transaction: tables change places, or of a partial scope the
 * rows; the head moves by compare-and-set; the transfer is recorded. It first takes a lock that
 * stops no reader, to get autovacuum out of the way, and only then the one that does.
 *
 * @throws TRANSFER_LOCKED, LOG_FENCED where another process has written the standby; the reason of `signal`, then
 * nothing was done
 */
export async function swap(database: Database, work: Swap, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await database.transaction(async (tx) => {
        await swapOnce(tx, work);
        signal.throwIfAborted();
      });
      failpoint('swap.after-commit');
      return;
    } catch (error) {
      if (
        isDualhomeError(error, 'POSTGRES_COMMIT_UNKNOWN') &&
        (await findSwap(database, work.header.transfer))
      )
        return;
      if (sqlStateOf(error) === 'DH001') throw new DualhomeError('LOG_FENCED', { cause: error });
      const isLocked = sqlStateOf(error) === '55P03' || sqlStateOf(error) === '40P01';
      if (!isLocked) throw error;
      if (attempt === attemptsMax) throw new DualhomeError('TRANSFER_LOCKED', { cause: error });
      await delay(pauseMs, signal);
    }
  }
}

async function swapOnce(tx: Session, work: Swap): Promise<void> {
  const { schemas, header, tables, from, to, rows, bytes } = work;
  await tx.query(`set local search_path = ${schemas.live}`);
  await tx.query(`set local lock_timeout = ${vacuumTimeoutMs}`);
  const names = tables.map(({ name }) => name).join(', ');
  await tx.query(`lock table ${names} in share update exclusive mode`);
  await tx.query(`set local lock_timeout = ${lockTimeoutMs}`);
  for (const table of tables)
    await (isWhole(header.scope)
      ? replaceTable(tx, table, schemas)
      : replaceRows(tx, table, schemas, header));
  await tx.query(advanceStatement(from, to));
  await tx.query(
    `insert into snapshots (transfer, scope, incarnation, seq, hash, rows, bytes)
     values ($1, $2, $3, $4, decode($5, 'hex'), $6, $7)`,
    [header.transfer, describeScope(header.scope), header.incarnation, header.seq, header.hash, rows, bytes],
  );
  const notice = copyNotice(header.log, schemas.live, to.seq);
  if (notice) await tx.query('select pg_notify($1, $2)', [notice.channel, notice.text]);
  failpoint('swap.before-commit');
}

/** The files of the old table are removed after the commit, when its locks are already gone. */
async function replaceTable(tx: Session, table: Table, schemas: Schemas): Promise<void> {
  const { live, staging } = schemas;
  const triggers = await triggerStatements(tx, table, schemas);
  await tx.query(`drop table ${live}.${table.name}`);
  await tx.query(`alter table ${staging}.${table.name} set schema ${live}`);
  for (const sql of triggers) await tx.query(sql);
}

/** The guards, which know of no change without an event, are off within the transaction; readers go on. */
async function replaceRows(
  tx: Session,
  table: Table,
  { live, staging }: Schemas,
  { scope }: SnapshotHeader,
): Promise<void> {
  const name = `${live}.${table.name}`;
  const columns = columnsOf(table).join(', ');
  const { text, values } = rangeCondition(table.key, scope.keyRange);
  await tx.query(`alter table ${name} disable trigger user`);
  await tx.query(`delete from ${name} where ${text}`, values);
  await tx.query(`insert into ${name} (${columns}) select ${columns} from ${staging}.${table.name}`);
  await tx.query(`alter table ${name} enable trigger user`);
}
