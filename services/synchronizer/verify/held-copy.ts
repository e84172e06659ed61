import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Comparison } from '../../protocol/digest.ts';
import type { Position } from '../../protocol/position.ts';
import { samePosition } from '../../protocol/position.ts';
import { bucketRows, digestTable } from '../../log/digest.ts';
import { configurationLog } from '../../log/definition.ts';
import type { Table } from '../../model/table.ts';
import type { Session } from '../../platform/postgres/session.ts';
import type { Alarms, Peer, RequestContext, RequestHandlers } from '../ports.ts';
import { insertProof } from '../store/proofs.ts';
import { closeSchema, digestParamsSchema, openSchema, rowsParamsSchema } from './requests.ts';

type Held = {
  readonly id: string;
  readonly at: Position;
  readonly session: Session;
  release(): Promise<void>;
};

/** A comparison that has not ended by then is given up, so that a peer cannot hold a snapshot for ever. */
const heldMaxMs = 15 * 60_000;

/**
 * Answers peers that compare the copy of their log here with their home.
 *
 * Invariant: of each peer at most one snapshot is held, for a limited time, and none once the link
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
      handlers.register('verify.open', openSchema, async ({ id, incarnation, seq, hash }, context) => {
        await this.#open(id, { incarnation, seq, hash: Buffer.from(hash, 'hex') }, context);
      }),
    );
    this.#handlers.use(
      handlers.register('verify.digest', digestParamsSchema, ({ id, table, range }, { peer }) =>
        digestTable(this.#of(peer, id).session, tableNamed(table), range),
      ),
    );
    this.#handlers.use(
      handlers.register('verify.rows', rowsParamsSchema, ({ id, table, ...wanted }, { peer }) =>
        bucketRows(this.#of(peer, id).session, tableNamed(table), wanted),
      ),
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

  async #open(id: string, expected: Position, { peer: name, signal }: RequestContext): Promise<void> {
    const peer = this.#peers.get(name);
    if (!peer?.apply || !peer.standby) throw new DualhomeError('LINK_LOG_NOT_SENT');
    if (this.#held.has(name)) throw new DualhomeError('VERIFY_BUSY');
    const { standby } = peer;
    const session = await peer.apply.at(
      expected.seq,
      async (cursor) => {
        if (!samePosition(cursor, expected)) throw new DualhomeError('VERIFY_NOT_THERE');
        return await beginSnapshot(await standby.session());
      },
      signal,
    );
    const release = async (): Promise<void> => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#held.delete(name);
      await session[Symbol.asyncDispose]();
    };
    const onAbort = (): void => void release();
    const timer = setTimeout(onAbort, heldMaxMs);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#held.set(name, { id, at: expected, session, release });
    if (signal.aborted) await release();
  }

  #of(peer: string, id: string): Held {
    const held = this.#held.get(peer);
    if (held?.id !== id) throw new DualhomeError('VERIFY_LOST');
    return held;
  }

  async #close(name: string, id: string, comparison: Comparison | null): Promise<void> {
    const held = this.#held.get(name);
    if (held?.id !== id) return;
    await held.release();
    const standby = this.#peers.get(name)?.standby;
    if (!standby || !comparison) return;
    await insertProof(standby, held.at, comparison);
    await reportComparison(this.#alarms, `${name}/configuration`, comparison, held.at.seq);
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

function tableNamed(name: string): Table {
  const table = configurationLog.tables.find((each) => each.name === name);
  if (!table) throw new DualhomeError('LINK_REQUEST_INVALID', { detail: `no table ${name} is compared` });
  return table;
}
