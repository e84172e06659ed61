import { Pool } from 'pg';
import { silenceMsOf, toClientConfig } from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { isConnectionLost, translate } from './failures.ts';
import { ClientSession } from './session.ts';
import type { Session, TransactionOptions } from './session.ts';
import type { Queryable, Result, Statement } from './statement.ts';

export type DatabaseOptions = ConnectionOptions & {
  /** Most connections at one time; default 4. */
  readonly poolMax?: number | undefined;
};

const POOL_MAX = 4;
const IDLE_TIMEOUT_MS = 60_000;

/**
 * A pool of connections to one database. Connections are made when needed: a database that is down costs the call that
 * needs it, nothing else.
 *
 * Invariant: a lost connection is never handed out twice, and its loss never reaches the process as an uncaught error.
 */
export class Database implements Queryable, AsyncDisposable {
  readonly #pool: Pool;
  readonly #silenceMs: number;
  #ended = false;

  constructor(options: DatabaseOptions) {
    this.#pool = new Pool({
      ...toClientConfig(options),
      max: options.poolMax ?? POOL_MAX,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
    });
    this.#silenceMs = silenceMsOf(options);
    this.#pool.on('error', (error) => options.onError?.(translate(error)));
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async query<R = Record<string, unknown>>(
    statement: string | Statement,
    values?: readonly unknown[],
  ): Promise<Result<R>> {
    await using session = await this.#open();
    return await session.query<R>(statement, values);
  }

  /** A connection of one's own until it is disposed of. */
  async session(): Promise<Session> {
    return this.#open();
  }

  /** See Session.transaction. A pooled connection that turns out to be dead at BEGIN is replaced. */
  async transaction<T>(fn: (tx: Session) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    for (let spare = this.#pool.totalCount; ; spare -= 1) {
      await using session = await this.#open();
      try {
        await session.begin(options);
      } catch (error) {
        if (spare > 0 && isConnectionLost(error)) continue;
        throw error;
      }
      return await session.commit(fn);
    }
  }

  /** Closes when every session has been disposed of. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#pool.end();
  }

  async #open(): Promise<ClientSession> {
    try {
      const client = await this.#pool.connect();
      return new ClientSession(client, this.#silenceMs, (broken) => client.release(broken));
    } catch (error) {
      throw translate(error);
    }
  }
}

/** Opens no connection yet. */
export function openDatabase(options: DatabaseOptions): Database {
  return new Database(options);
}

export type { Queryable, Result, Statement } from './statement.ts';
export type { Session, TransactionOptions } from './session.ts';
