import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChunkDigest, SignedManifest, SnapshotHeader } from '../../protocol/manifest.ts';
import { chunkFileName, snapshotFormat } from '../../protocol/manifest.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { Table } from '../../model/table.ts';
import type { Signer } from '../../platform/crypto/signing.ts';
import { failpoint } from '../../platform/lifecycle/failpoint.ts';
import type { Database, Session } from '../../platform/postgres/database.ts';
import type { LogDefinition } from '../definition.ts';
import { readHead } from '../head.ts';
import { columnsOf } from '../tables.ts';
import { writeChunk } from './chunk-file.ts';
import { copyOutSql } from './copy-sql.ts';
import { RowCutter } from './cut-rows.ts';
import { signManifest } from './signed-manifest.ts';

export type ExportOptions = {
  readonly definition: LogDefinition;
  /** Its connections find the log's tables by their search_path. */
  readonly database: Database;
  readonly site: string;
  /** The transfer's id; the snapshot serves no other. */
  readonly transfer: string;
  readonly scope: Scope;
  /** Where the chunk files go, under `chunkFileName`; made when missing. */
  readonly directory: string;
  readonly signer: Signer;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of COPY text a chunk has at most; default 4 MiB. */
  readonly chunkBytes?: number | undefined;
};

const chunkBytesDefault = 4 * 1024 * 1024;

/** Chunks compressed and written while the next one is read. */
const chunksInFlight = 2;

/**
 * A snapshot being made. One REPEATABLE READ transaction reads the head, which is the snapshot's point exactly, and then
 * the tables.
 *
 * Use: announce `header`, consume `chunks()` (each is a complete file when it is yielded), then `seal()`. Disposal ends
 * the transaction; the files are the caller's.
 */
export class SnapshotExport implements AsyncDisposable {
  readonly header: SnapshotHeader;
  readonly #session: Session;
  readonly #options: ExportOptions;
  readonly #cutter: RowCutter;
  readonly #digests: ChunkDigest[] = [];
  #complete = false;

  constructor(header: SnapshotHeader, session: Session, options: ExportOptions) {
    this.header = header;
    this.#session = session;
    this.#options = options;
    this.#cutter = new RowCutter(options.chunkBytes ?? chunkBytesDefault);
  }

  /** Every chunk, in order. A reader that waits makes the export wait; one that stops ends it. */
  async *chunks(): AsyncGenerator<ChunkDigest> {
    const { definition, scope } = this.#options;
    for (const table of definition.tablesOf(scope)) {
      for await (const digest of inFlight(this.#chunksOf(table), chunksInFlight)) {
        this.#options.signal?.throwIfAborted();
        this.#digests.push(digest);
        failpoint('export.chunk');
        yield digest;
      }
    }
    await this.#session.query('commit');
    this.#complete = true;
  }

  /** Lists and signs what was made. */
  seal(): SignedManifest {
    if (!this.#complete) throw new Error('the export is not complete');
    return signManifest({ header: this.header, chunks: this.#digests }, this.#options.signer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  /** Each is being written when it is yielded. */
  async *#chunksOf(table: Table): AsyncGenerator<Started<ChunkDigest>> {
    const { scope, directory } = this.#options;
    const copy = this.#session.copyTo(await copyOutSql(this.#session, table, scope.keyRange));
    let index = 0;
    let rows = 0;
    for await (const part of this.#cutter.cut(copy)) {
      const place = { table: table.name, index };
      const written = writeChunk(join(directory, chunkFileName(place)), part, place);
      yield { result: written.finally(() => this.#cutter.release(part)) };
      index += 1;
      rows += part.rows;
    }
    if (rows !== copy.rowCount) throw new Error(`${table.name}: ${rows} rows read of ${copy.rowCount}`);
  }
}

/** Begins the export: its point is now. */
export async function openExport(options: ExportOptions): Promise<SnapshotExport> {
  const { definition, database, site, transfer, scope, directory } = options;
  await mkdir(directory, { recursive: true });
  await using held = new AsyncDisposableStack();
  const session = held.use(await database.session());
  await session.query('begin isolation level repeatable read read only');
  await session.query('set local statement_timeout = 0');
  const { incarnation, seq, hash } = await readHead(session);
  const header: SnapshotHeader = {
    format: snapshotFormat,
    transfer,
    site,
    log: definition.name,
    incarnation,
    seq,
    hash: hash.toString('hex'),
    scope,
    tables: definition.tablesOf(scope).map((table) => ({ name: table.name, columns: [...columnsOf(table)] })),
  };
  held.move();
  return new SnapshotExport(header, session, options);
}

/** Work that has begun; wrapped, because an async generator would await a bare promise. */
type Started<T> = { readonly result: Promise<T> };

/** Yields the results in order, while up to `max` more of them are under way. */
async function* inFlight<T>(source: AsyncIterable<Started<T>>, max: number): AsyncGenerator<T> {
  const pending: Promise<T>[] = [];
  try {
    for await (const { result } of source) {
      result.catch(() => undefined);
      pending.push(result);
      const next = pending.length > max ? pending.shift() : undefined;
      if (next) yield await next;
    }
    for (let next = pending.shift(); next; next = pending.shift()) yield await next;
  } finally {
    await Promise.allSettled(pending);
  }
}
