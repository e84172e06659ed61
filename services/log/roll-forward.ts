import type { Table, TableChange } from '../model/table.ts';
import { statementOf } from '../platform/postgres/composed-statement.ts';
import type { Queryable, Session } from '../platform/postgres/database.ts';
import type { Scope } from '../protocol/scope.ts';
import { ChainCheck, broken } from './chain.ts';
import type { LogDefinition } from './definition.ts';
import type { Base } from './held.ts';
import { isInRange } from './key-range.ts';
import { readAfter } from './read.ts';
import { changeParts } from './table-statements.ts';
import type { ReadLimit } from './read.ts';

export type RollForwardOptions = {
  readonly definition: LogDefinition;
  /** The database whose log is read. */
  readonly source: Queryable;
  /** A connection that sees the tables to be changed. */
  readonly target: Session;
  /** Schemas in which `target` looks for the tables. */
  readonly searchPath: string;
  readonly scope: Scope;
  /** Where the tables are, and the seq they are brought to. */
  readonly from: Base;
  readonly to: number;
  readonly onProgress?: ((seq: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

const batch: ReadLimit = { eventsMax: 1000, bytesMax: 4 * 1024 * 1024 };

/**
 * Brings tables from one position of a log to a later one, by the fold and the statements that apply a
 * live log: each batch in a transaction, with flat memory. Every event is proven by the chain before it
 * counts. Returns the position reached.
 *
 * @throws LOG_BROKEN, EVENT_UNREADABLE
 */
export async function rollForward(options: RollForwardOptions): Promise<Base> {
  const { definition, source, target, searchPath, scope, from, to, onProgress, signal } = options;
  const chain = new ChainCheck(from);
  for (let { seq } = from; seq < to;) {
    signal?.throwIfAborted();
    const limit = { ...batch, eventsMax: Math.min(batch.eventsMax, to - seq) };
    const events = await readAfter(source, seq, limit);
    if (events.length === 0) throw broken(seq + 1, 'seq', 'it is missing');
    for (const event of events) chain.check(event);
    const { changes } = definition.fold(events, seq + 1);
    await apply(
      target,
      searchPath,
      changes.flatMap((change) => within(definition.tablesOf(scope), scope, change)),
    );
    seq = chain.position.seq;
    onProgress?.(seq);
  }
  return chain.position;
}

/** What of a change lies in the scope. */
function within(
  tables: readonly Table[],
  { keyRange }: Scope,
  { table, upserts, deletes }: TableChange,
): readonly TableChange[] {
  if (!tables.includes(table)) return [];
  if (!keyRange) return [{ table, upserts, deletes }];
  return [
    {
      table,
      upserts: upserts.filter(({ row }) => isInRange(String(row[table.key]), keyRange)),
      deletes: deletes.filter((key) => isInRange(key, keyRange)),
    },
  ];
}

async function apply(target: Session, searchPath: string, changes: readonly TableChange[]): Promise<void> {
  const statements = changes.flatMap(changeParts).map(statementOf);
  if (statements.length === 0) return;
  await target.transaction(async (tx) => {
    await tx.query(`set local search_path = ${searchPath}`);
    for (const statement of statements) await tx.query(statement);
  });
}
