import type { Database, Session } from '../../platform/postgres/database.ts';
import { openDatabase } from '../../platform/postgres/database.ts';
import type { Verifier } from '../../platform/crypto/signing.ts';
import { delay } from '../../platform/lifecycle/abort.ts';
import { failpoint } from '../../platform/lifecycle/failpoint.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { SignedManifest, SnapshotHeader } from '../../protocol/manifest.ts';
import type { Position } from '../../protocol/position.ts';
import { logNamed } from '../definition.ts';
import { readHead } from '../head.ts';
import { heldAfter } from '../held.ts';
import type { Base } from '../held.ts';
import { hashAt } from '../read.ts';
import { rollForward } from '../roll-forward.ts';
import { admit } from './admit.ts';
import type { Admission } from './admit.ts';
import { finishStaging } from './finish-staging.ts';
import { loadChunks } from './load.ts';
import type { ChunkFile } from './load.ts';
import { requireKnown, requireListed } from './requirements.ts';
import { openManifest } from './signed-manifest.ts';
import { cancelOnAbort, clearStaging, createStaging, schemasOf } from './staging.ts';
import type { Schemas } from './staging.ts';
import { findSwap, swap } from './swap.ts';

export type { ChunkFile } from './load.ts';

export type ImportOptions = {
  /** The database of the copy, by the role that owns its tables. */
  readonly url: string;
  /** Schema of the copy, where it is not the default one. */
  readonly schema?: string | undefined;
  /** What was announced, and the site it has to come from. */
  readonly header: SnapshotHeader;
  readonly peer: string;
  /** Chunks as they arrive, in any order; ends when all have. */
  readonly chunks: AsyncIterable<ChunkFile>;
  /** The signed manifest; asked for when the chunks have ended. */
  readonly manifest: () => Promise<SignedManifest>;
  readonly verifier: Verifier;
  /** The lock of the lane that applies to this standby: while it is held nothing else is. */
  readonly exclusive: <T>(work: (cursor: Position) => Promise<T>) => Promise<T>;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
  /** Told of each chunk that is in: its file is needed no more. */
  readonly onLoaded?: ((chunk: ChunkFile) => void) | undefined;
  readonly signal: AbortSignal;
};

export type ImportProgress =
  | { readonly phase: 'loading'; readonly rows: number; readonly bytes: number }
  | { readonly phase: 'verifying' | 'swapping' }
  | { readonly phase: 'rolling forward'; readonly seq: number; readonly to: number };

export type ImportOutcome = {
  /** Of the snapshot's point. */
  readonly seq: number;
  readonly rows: number;
  readonly bytes: number;
  /** Whether this transfer had been swapped in before; then nothing was done. */
  readonly repeated: boolean;
};

/** Rolling forward goes on beside the lane until no more events than this are missing. */
const lagEventsMax = 500;
const roundsMax = 20;
const standbyWaitMs = 60_000;
const pollMs = 100;
/** Pages go to disk as they are written, not all at the commit, when home's own commits would wait behind them. */
const gentle = { backend_flush_after: '1MB' };

/**
 * Fills a standby, or a part of it, from a snapshot. Phases: load into staging tables beside the live
 * ones; check the signed manifest against what was loaded; build indexes and read back; roll forward
 * over the standby's own log; under the lane's lock roll the rest forward and swap.
 *
 * Everything before the swap can be killed or aborted and leaves only staging behind, which the next import clears.
 * Doing it again after the swap does nothing.
 *
 * @throws TRANSFER_* and LOG_*; the reason of `signal`
 */
export async function importSnapshot(options: ImportOptions): Promise<ImportOutcome> {
  const { url, schema, header, signal } = options;
  signal.throwIfAborted();
  await using database = openDatabase({
    url,
    schema,
    applicationName: 'dualhome synchronizer import',
    settings: gentle,
    statementTimeoutMs: 0,
    poolMax: 4,
  });
  const done = await findSwap(database, header.transfer);
  if (done) return { ...done, repeated: true };
  requireKnown(header, options.peer);
  await admission(database, header);

  const schemas = schemasOf(schema);
  await using lock = await lockStaging(database, schemas);
  await using first = await database.session();
  await using second = await database.session();
  using _ = cancelOnAbort(database, [first, second], signal);
  try {
    const outcome = await fill(database, schemas, [first, second], options);
    await clearStaging(lock, schemas);
    return outcome;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

async function fill(
  database: Database,
  schemas: Schemas,
  sessions: readonly [Session, Session],
  { header, chunks, manifest: signed, verifier, exclusive, onProgress, onLoaded, signal }: ImportOptions,
): Promise<ImportOutcome> {
  const definition = logNamed(header.log);
  const tables = definition.tablesOf(header.scope);
  const size = { rows: 0, bytes: 0 };
  await clearStaging(database, schemas);
  const loaded = await sessions[0].transaction(async (tx) => {
    await createStaging(tx, tables, schemas);
    return await loadChunks(tx, {
      header,
      schema: schemas.staging,
      chunks,
      signal,
      onLoaded: (chunk) => {
        size.rows += chunk.digest.rows;
        size.bytes += chunk.digest.rawBytes;
        onProgress?.({ phase: 'loading', ...size });
        onLoaded?.(chunk);
      },
    });
  });
  requireListed(openManifest(await signed(), { header, verifier }), loaded.chunks);
  onProgress?.({ phase: 'verifying' });
  await finishStaging(database, schemas, sessions, tables, loaded, signal);

  let position: Base = {
    incarnation: header.incarnation,
    seq: header.seq,
    hash: Buffer.from(header.hash, 'hex'),
  };
  const advance = async (to: number): Promise<void> => {
    position = await rollForward({
      definition,
      source: database,
      target: sessions[0],
      searchPath: `${schemas.staging}, ${schemas.live}`,
      scope: header.scope,
      from: position,
      to,
      onProgress: (seq) => onProgress?.({ phase: 'rolling forward', seq, to }),
      signal,
    });
  };
  await awaitStandby(database, header, signal);
  for (let round = 0; round < roundsMax; round += 1) {
    const { seq } = await readHead(database);
    if (seq <= position.seq + lagEventsMax) break;
    await advance(seq);
  }
  await exclusive(async (cursor) => {
    const way = await admission(database, header);
    failpoint('roll-forward.before');
    if (way === 'wait') throw new DualhomeError('TRANSFER_STANDBY_BEHIND');
    if (way === 'roll-forward') await advance(cursor.seq);
    onProgress?.({ phase: 'swapping' });
    signal.throwIfAborted();
    const { incarnation, seq, hash } = header;
    const to = way === 'advance' ? { incarnation, seq, hash: Buffer.from(hash, 'hex') } : cursor;
    await swap(database, { schemas, header, tables, from: cursor, to, ...size }, signal);
  });
  return { seq: header.seq, ...size, repeated: false };
}

async function admission(database: Database, header: SnapshotHeader): Promise<Admission> {
  return admit(header, {
    head: await readHead(database),
    base: await heldAfter(database),
    hashThere: await hashAt(database, header.seq),
  });
}

/** A part can take its place once the standby has reached the snapshot's point. */
async function awaitStandby(database: Database, header: SnapshotHeader, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + standbyWaitMs;
  while ((await admission(database, header)) === 'wait') {
    if (performance.now() > deadline) throw new DualhomeError('TRANSFER_STANDBY_BEHIND');
    await delay(pollMs, signal);
  }
}

/** One process fills a copy: waits for an import that was killed until its server process has noticed. */
async function lockStaging(database: Database, { staging }: Schemas): Promise<Session> {
  await using held = new AsyncDisposableStack();
  const session = held.use(await database.session());
  await session.query('set lock_timeout = 15000');
  await session.query(`select pg_advisory_lock(hashtextextended('dualhome.' || $1, 0))`, [staging]);
  held.move();
  return session;
}
