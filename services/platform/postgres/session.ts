import type { ClientBase } from 'pg';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { ask } from './ask.ts';
import { openCopyFrom, openCopyTo } from './copy.ts';
import type { CopyIn, CopyOut } from './copy.ts';
import { isConnectionLost, translate } from './failures.ts';
import { toQueryConfig, toResult } from './statement.ts';
import type { Queryable, Result, Statement } from './statement.ts';

export type TransactionOptions = {
  readonly isolation?: 'read committed' | 'repeatable read' | undefined;
  readonly readOnly?: boolean | undefined;
};

/** One connection of its own, one statement at a time. */
export interface Session extends Queryable, AsyncDisposable {
  /** Process id of the server's backend. */
  readonly processId: number;
  /**
   * Runs `fn` between BEGIN and COMMIT, or ROLLBACK when it throws.
   * @throws DualhomeError POSTGRES_COMMIT_UNKNOWN when the connection broke during COMMIT
   */
  transaction<T>(fn: (tx: Session) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** COPY ... FROM STDIN. Finished when the rows are in; destroying it fails the COPY. */
  copyFrom(sql: string): CopyIn;
  /** COPY ... TO STDOUT. Destroying it before its end breaks the session. */
  copyTo(sql: string): CopyOut;
}

/** Invariant: a connection that is broken, busy or inside a transaction is closed on release and never reused. */
export class ClientSession implements Session {
  readonly #client: ClientBase & { readonly processID?: number | null };
  readonly #silenceMs: number;
  readonly #release: (broken: boolean) => void | Promise<void>;
  readonly #onError = (): void => this.#break();
  #broken = false;
  /** What the connection is busy with. */
  readonly #underway = new Set<object>();
  #released = false;

  constructor(client: ClientBase, silenceMs: number, release: (broken: boolean) => void | Promise<void>) {
    this.#client = client;
    this.#silenceMs = silenceMs;
    this.#release = release;
    client.on('error', this.#onError);
    client.on('end', this.#onError);
  }

  get processId(): number {
    return this.#client.processID ?? 0;
  }

  async query<R = Record<string, unknown>>(
    statement: string | Statement,
    values?: readonly unknown[],
  ): Promise<Result<R>> {
    const config = toQueryConfig(statement, values);
    const done = this.#begin();
    try {
      return toResult<R>(await ask(this.#client, config, this.#silenceMs));
    } catch (error) {
      const failure = translate(error);
      if (isConnectionLost(failure)) this.#break();
      throw failure;
    } finally {
      done();
    }
  }

  async transaction<T>(fn: (tx: Session) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    await this.begin(options);
    return this.commit(fn);
  }

  /** BEGIN, apart from the rest so that a pool may try it on another connection. */
  async begin({ isolation = 'read committed', readOnly = false }: TransactionOptions): Promise<void> {
    await this.query(`begin isolation level ${isolation}${readOnly ? ' read only' : ''}`);
  }

  /** `fn`, then COMMIT or ROLLBACK of the transaction that has begun. */
  async commit<T>(fn: (tx: Session) => Promise<T>): Promise<T> {
    let value: T;
    try {
      value = await fn(this);
    } catch (error) {
      await this.query('rollback').catch(() => this.#break());
      throw error;
    }
    const { command } = await this.query('commit').catch((error: unknown) => {
      throw isConnectionLost(error) ? new DualhomeError('POSTGRES_COMMIT_UNKNOWN', { cause: error }) : error;
    });
    if (command !== 'COMMIT') throw new DualhomeError('POSTGRES_TRANSACTION_ABORTED');
    return value;
  }

  copyFrom(sql: string): CopyIn {
    return openCopyFrom(this.#client, sql, this.#begin());
  }

  copyTo(sql: string): CopyOut {
    return openCopyTo(this.#client, sql, this.#begin());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#client.off('error', this.#onError);
    this.#client.off('end', this.#onError);
    const idle = this.#underway.size === 0 && this.#client.getTransactionStatus() === 'I';
    await this.#release(this.#broken || !idle);
  }

  #begin(): () => void {
    const work = {};
    this.#underway.add(work);
    return () => this.#underway.delete(work);
  }

  #break(): void {
    this.#broken = true;
  }
}
