import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Comparison } from '../../protocol/digest.ts';
import type { Position } from '../../protocol/position.ts';
import { samePosition } from '../../protocol/position.ts';
import { bucketRows, digestTable } from '../../log/digest.ts';
import { logNamed } from '../../log/definition.ts';
import type { LogDefinition } from '../../log/definition.ts';
import type { Table } from '../../model/table.ts';
import type { Session } from '../../platform/postgres/session.ts';
import type { Alarms, Peer, RequestContext, RequestHandlers } from '../ports.ts';
import { copyingOf } from '../peer-logs.ts';
import { insertProof } from '../store/proofs.ts';
import { closeSchema, digestParamsSchema, openSchema, rowsParamsSchema } from './requests.ts';

type Held = {
  readonly id: string;
  readonly log: LogDefinition;
  readonly at: Position;
  readonly session: Session;
  release(): Promise<void>;
};

/** A comparison that has not ended by then is given up, so that a peer cannot hold a snapshot for ever. */
const heldMaxMs = 15 * 60_000;

/**
 * Answers peers that compare the copy of their log here with their home.
 *
 * Invariant: of each copy at most one snapshot is held, for a limited time, and none once the link
 * that asked for it is down.
 */
export class HeldCopies implements AsyncDisposable {
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #alarms: Alarms;
  readonly #held = new Map<string, Held>();
  readonly #handlers = new DisposableStack();

  constructor(peers: ReadonlyMap<string, Peer>, handlers: RequestHandlers, alarms: Alarms) {
    this.#peers = peers;
    this.#alarms = alarms;
    this.#handlers.use(
      handlers.register('verify.open', openSchema, async ({ id, log, incarnation, seq, hash }, context) => {
        const at = { incarnation, seq, hash: Buffer.from(hash, 'hex') };
        await this.#open(id, logNamed(log), at, context);
      }),
    );
    this.#handlers.use(
      handlers.register('verify.digest', digestParamsSchema, ({ id, table, range }, { peer }) => {
        const { session, log } = this.#of(peer, id);
        return digestTable(session, tableNamed(log, table), range);
      }),
    );
    this.#handlers.use(
      handlers.register('verify.rows', rowsParamsSchema, ({ id, table, ...wanted }, { peer }) => {
        const { session, log } = this.#of(peer, id);
        return bucketRows(session, tableNamed(log, table), wanted);
      }),
    );
    this.#handlers.use(
      handlers.register('verify.close', closeSchema, ({ id, comparison }, { peer }) =>
        this.#close(peer, id, comparison),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handlers.dispose();
    await Promise.all([...this.#held.values()].map((held) => held.release()));
  }

  async #open(
    id: string,
    log: LogDefinition,
    expected: Position,
    { peer, signal }: RequestContext,
  ): Promise<void> {
    const { apply, copy } = copyingOf(this.#peers, peer, log.name);
    const key = `${peer}/${log.name}`;
    if (this.#held.has(key)) throw new DualhomeError('VERIFY_BUSY');
    const session = await apply.at(
      expected.seq,
      async (cursor) => {
        if (!samePosition(cursor, expected)) throw new DualhomeError('VERIFY_NOT_THERE');
        return await beginSnapshot(await copy.database.session());
      },
      signal,
    );
    const release = async (): Promise<void> => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#held.delete(key);
      await session[Symbol.asyncDispose]();
    };
    const onAbort = (): void => void release();
    const timer = setTimeout(onAbort, heldMaxMs);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#held.set(key, { id, log, at: expected, session, release });
    if (signal.aborted) await release();
  }

  #of(peer: string, id: string): Held {
    const held = this.#find(peer, id);
    if (!held) throw new DualhomeError('VERIFY_LOST');
    return held;
  }

  #find(peer: string, id: string): Held | undefined {
    return [...(this.#peers.get(peer)?.logs.keys() ?? [])]
      .map((log) => this.#held.get(`${peer}/${log}`))
      .find((held) => held?.id === id);
  }

  async #close(peer: string, id: string, comparison: Comparison | null): Promise<void> {
    const held = this.#find(peer, id);
    if (!held) return;
    await held.release();
    if (!comparison) return;
    const { name } = held.log;
    await insertProof(copyingOf(this.#peers, peer, name).copy.database, held.at, comparison);
    await reportComparison(this.#alarms, `${peer}/${name}`, comparison, held.at.seq);
  }
}

/** Raises or clears the alarm about a copy that differs. */
export async function reportComparison(
  alarms: Alarms,
  subject: string,
  { equal, differences, truncated }: Comparison,
  seq: number,
): Promise<void> {
  if (equal) return alarms.clear('VERIFY_DIFFERENT', subject);
  const more = truncated ? 'more than ' : '';
  const detail = `At seq ${seq}, ${more}${differences.length} rows differ.`;
  await alarms.raise('VERIFY_DIFFERENT', subject, detail, { seq, differences: differences.slice(0, 20) });
}

/** Begins a snapshot on a session; closes the session where that fails. */
export async function beginSnapshot(session: Session): Promise<Session> {
  try {
    await session.query('begin isolation level repeatable read read only');
    await session.query('select from log_head');
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

function tableNamed({ tables }: LogDefinition, name: string): Table {
  const table = tables.find((each) => each.name === name);
  if (!table) throw new DualhomeError('LINK_REQUEST_INVALID', { detail: `no table ${name} is compared` });
  return table;
}
