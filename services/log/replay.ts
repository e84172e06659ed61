import type { Table } from '../model/table.ts';
import { openDatabase } from '../platform/postgres/database.ts';
import type { Database, Queryable, Session } from '../platform/postgres/database.ts';
import type { Comparison } from '../protocol/digest.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import type { SnapshotHeader } from '../protocol/manifest.ts';
import { wholeScope } from '../protocol/scope.ts';
import { broken } from './chain.ts';
import { compareSides, sideOf } from './compare.ts';
import type { Side } from './compare.ts';
import type { LogDefinition } from './definition.ts';
import { readHead } from './head.ts';
import { heldAfter } from './held.ts';
import type { Base } from './held.ts';
import { rollForward } from './roll-forward.ts';
import { createScratch, scratch, scratchRows } from './scratch.ts';
import type { ScratchRow } from './scratch.ts';
import { loadChunks } from './snapshot/load.ts';
import type { ChunkFile } from './snapshot/load.ts';

/** A point of a log: a seq, the last event up to a time, or the head. */
export type Until = { readonly seq: number } | { readonly timeMs: number } | 'head';

export type ReplayOptions = {
  readonly definition: LogDefinition;
  /** URL of the database whose log is replayed; it is only read. */
  readonly source: string;
  /** Schema of the log, where it is not the default one. */
  readonly schema?: string | undefined;
  /** URL of a database in which temporary tables may be made; may be the same. */
  readonly scratch: string;
  /** Where to begin when the log's beginning is not held: a snapshot of the same log. */
  readonly base?: { readonly header: SnapshotHeader; readonly chunks: AsyncIterable<ChunkFile> } | undefined;
  /** Called after each batch with the seq reached and the one aimed at. */
  readonly onProgress?: ((seq: number, to: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * The state of a log at one point, rebuilt from its events in temporary tables, by the fold and the
 * statements that apply a live log. It goes forward only. Disposal removes it.
 */
export class Replay implements AsyncDisposable {
  readonly #options: ReplayOptions;
  readonly #source: Database;
  readonly #target: Session;
  readonly #held: AsyncDisposableStack;
  #position: Base;

  constructor(
    options: ReplayOptions,
    source: Database,
    target: Session,
    held: AsyncDisposableStack,
    position: Base,
  ) {
    this.#options = options;
    this.#source = source;
    this.#target = target;
    this.#held = held;
    this.#position = position;
  }

  /** The last event that the state contains. */
  get position(): Base {
    return this.#position;
  }

  /**
   * Goes on to a point.
   *
   * @throws LOG_BROKEN, EVENT_UNREADABLE; LOG_NOT_HELD for a point before the state; LOG_NOT_REACHED for one beyond the head
   */
  async advance(until: Until): Promise<void> {
    const { seq: head } = await readHead(this.#source);
    await this.#rollTo(this.#source, await seqOf(this.#source, until, this.#position.seq, head), head);
  }

  /** The state as one side of a comparison. */
  get side(): Side {
    return sideOf(this.#target);
  }

  /** Rows of a table, in the order of their keys. */
  rows(table: Table): AsyncIterable<ScratchRow> {
    return scratchRows(this.#target, table);
  }

  /**
   * Goes on to the head and compares with the live tables, both within one snapshot of the source; ours
   * are the live rows, theirs the replayed ones. Most of the events were replayed before it, so that it is held for short.
   *
   * @throws LOG_BROKEN where the head is not the last event of the chain
   */
  async compareWithLive(differencesMax: number): Promise<Comparison & { readonly seq: number }> {
    await this.advance('head');
    await using session = await this.#source.session();
    return await session.transaction(
      async (tx) => {
        const { seq, hash } = await readHead(tx);
        await this.#rollTo(tx, seq, seq);
        if (!hash.equals(this.#position.hash)) throw broken(seq, 'head', 'the head has another hash');
        const comparison = await compareSides({
          ours: sideOf(tx),
          theirs: this.side,
          tables: this.#options.definition.tables,
          differencesMax,
          signal: this.#options.signal,
        });
        return { ...comparison, seq };
      },
      { isolation: 'repeatable read', readOnly: true },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }

  async #rollTo(source: Queryable, to: number, head: number): Promise<void> {
    const { definition, onProgress, signal } = this.#options;
    if (to < this.#position.seq)
      throw new DualhomeError('LOG_NOT_HELD', {
        detail: `The state at ${to} cannot be rebuilt; the earliest one is that at ${this.#position.seq}.`,
        facts: { seq: to, earliest: this.#position.seq },
      });
    if (to > head)
      throw new DualhomeError('LOG_NOT_REACHED', {
        detail: `The head is ${head}.`,
        facts: { seq: to, head },
      });
    this.#position = await rollForward({
      definition,
      source,
      target: this.#target,
      searchPath: scratch,
      scope: wholeScope,
      from: this.#position,
      to,
      onProgress: onProgress && ((seq) => onProgress(seq, to)),
      signal,
    });
  }
}

/**
 * An empty state before the log's first event, or that of the base.
 *
 * @throws LOG_NOT_HELD when the log's beginning is not held and there is no base
 */
export async function openReplay(options: ReplayOptions): Promise<Replay> {
  await using held = new AsyncDisposableStack();
  const open = (url: string, poolMax: number, schema?: string): Database =>
    held.use(
      openDatabase({ url, schema, applicationName: 'dualhome replay', statementTimeoutMs: 0, poolMax }),
    );
  const source = open(options.source, 2, options.schema);
  const complete = await heldAfter(source);
  const position = options.base ? baseOf(options.base.header) : complete;
  if (position.seq < complete.seq || (!options.base && position.seq > 0))
    throw await beginningMissing(source, complete.seq + 1);
  const target = held.use(await open(options.scratch, 1).session());
  const { definition, base, signal } = options;
  await target.transaction(async (tx) => {
    await createScratch(tx, definition.tables);
    if (base) await loadChunks(tx, { ...base, schema: scratch, signal });
  });
  return new Replay(options, source, target, held.move(), position);
}

/** Which events are held, and since when. */
async function beginningMissing(source: Queryable, completeFrom: number): Promise<DualhomeError> {
  const { rows } = await source.query<{ time: Date }>('select time from log where seq = $1', [completeFrom]);
  const since = rows[0]?.time.toISOString() ?? null;
  const from = since === null ? `event ${completeFrom}` : `event ${completeFrom} of ${since}`;
  return new DualhomeError('LOG_NOT_HELD', {
    detail: `Events are held from ${from} on. No state can be rebuilt from them without a snapshot of event ${completeFrom - 1} or later.`,
    facts: { completeFrom, since },
  });
}

function baseOf({ incarnation, seq, hash }: SnapshotHeader): Base {
  return { incarnation, seq, hash: Buffer.from(hash, 'hex') };
}

/** The seq of a point. Times never go back along a log, so a time is found by halving. */
async function seqOf(source: Queryable, until: Until, from: number, head: number): Promise<number> {
  if (until === 'head') return head;
  if ('seq' in until) return until.seq;
  let [low, high] = [from, head];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const { rows } = await source.query<{ time: Date }>('select time from log where seq = $1', [middle]);
    const [event] = rows;
    if (!event) throw broken(middle, 'seq', 'it is missing');
    if (event.time.getTime() <= until.timeMs) low = middle;
    else high = middle - 1;
  }
  return low;
}
