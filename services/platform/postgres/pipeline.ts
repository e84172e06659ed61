import { Client } from 'pg';
import type { QueryConfig } from 'pg';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { ask } from './ask.ts';
import { destroyConnection, silenceMsOf, socketOf, toClientConfig } from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { isConnectionLost, translate } from './failures.ts';
import { toQueryConfig, toResult } from './statement.ts';
import type { Queryable, Result, Statement } from './statement.ts';

/**
 * A connection on which statements are sent at once and answered in order, so that BEGIN, statements and COMMIT cost one
 * round trip.
 *
 * Invariant: a statement that could not be sent ends the session, so that no COMMIT behind it commits without it. A lost
 * connection ends it too; its owner opens another.
 */
export class PipelineSession implements Queryable, AsyncDisposable {
  readonly #client: Client;
  readonly #silenceMs: number;
  readonly #texts = new Map<string, string>();
  #ended: Promise<void> | undefined;
  #lost = false;

  constructor(client: Client, silenceMs: number, onError?: (error: unknown) => void) {
    this.#client = client;
    this.#silenceMs = silenceMs;
    client.on('error', (error) => {
      this.#lost = true;
      onError?.(translate(error));
    });
    client.on('end', () => {
      this.#lost = true;
    });
  }

  /** Whether it is of no more use. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Process id of the server's backend. */
  get processId(): number {
    return (this.#client as { processID?: number | null }).processID ?? 0;
  }

  async query<R = Record<string, unknown>>(
    statement: string | Statement,
    values?: readonly unknown[],
  ): Promise<Result<R>> {
    let config: QueryConfig;
    try {
      config = this.#prepare(statement, values);
    } catch (error) {
      this.#lost = true;
      destroyConnection(this.#client);
      throw error;
    }
    return await this.#send<R>(config);
  }

  /**
   * BEGIN, the statements and COMMIT in one write and one round trip: all of them take effect or none. `beforeCommit` is
   * called when all but COMMIT is on its way; what it throws rolls back. A statement that is alone commits by itself:
   * the answers to BEGIN and COMMIT would each wake this process once more.
   *
   * @throws the error of the first statement that failed; DualhomeError POSTGRES_COMMIT_UNKNOWN when the connection broke
   * before COMMIT was answered
   */
  async transaction(
    statements: readonly (string | Statement)[],
    beforeCommit?: () => void,
  ): Promise<readonly Result[]> {
    const [only] = statements;
    if (only !== undefined && statements.length === 1) return [await this.#commitAlone(only, beforeCommit)];
    const configs = ['begin', ...statements].map((each) => this.#prepare(each));
    this.#requireOpen();
    const socket = socketOf(this.#client);
    socket.cork();
    const sent = configs.map((config) => this.#send<Record<string, unknown>>(config));
    const objection = objectionOf(beforeCommit);
    sent.push(this.query(objection ? 'rollback' : 'commit'));
    socket.uncork();
    const answers = await Promise.allSettled(sent);
    const failed = objection ?? answers.find((answer) => answer.status === 'rejected');
    if (failed && isConnectionLost(failed.reason)) {
      throw new DualhomeError('POSTGRES_COMMIT_UNKNOWN', { cause: failed.reason });
    }
    if (failed) throw failed.reason;
    const results = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (results.at(-1)?.command !== 'COMMIT') throw new DualhomeError('POSTGRES_TRANSACTION_ABORTED');
    return results.slice(1, -1);
  }

  async #commitAlone(statement: string | Statement, beforeCommit?: () => void): Promise<Result> {
    const config = this.#prepare(statement);
    this.#requireOpen();
    beforeCommit?.();
    try {
      return await this.#send<Record<string, unknown>>(config);
    } catch (error) {
      throw isConnectionLost(error) ? new DualhomeError('POSTGRES_COMMIT_UNKNOWN', { cause: error }) : error;
    }
  }

  #requireOpen(): void {
    if (this.#lost) throw new DualhomeError('POSTGRES_UNREACHABLE', { detail: 'This connection is lost.' });
  }

  /** Waits for the statements under way, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#client.end();
    await this.#ended;
  }

  /** Finds out what the driver would otherwise find out after the statements before it are on their way. */
  #prepare(statement: string | Statement, values?: readonly unknown[]): QueryConfig {
    const config = toQueryConfig(statement, values);
    const { name, text } = config;
    if (name === undefined) return config;
    const known = this.#texts.get(name) ?? text;
    if (known !== text) throw new Error(`two statements are named ${name}: ${known} | ${text}`);
    this.#texts.set(name, text);
    return config;
  }

  async #send<R>(config: QueryConfig): Promise<Result<R>> {
    try {
      return toResult<R>(await ask(this.#client, config, this.#silenceMs));
    } catch (error) {
      throw translate(error);
    }
  }
}

function objectionOf(beforeCommit?: () => void): { readonly reason: unknown } | undefined {
  try {
    beforeCommit?.();
    return undefined;
  } catch (reason) {
    return { reason };
  }
}

export async function openPipeline(options: ConnectionOptions): Promise<PipelineSession> {
  const client = new Client({ ...toClientConfig(options), pipeline: true });
  const session = new PipelineSession(client, silenceMsOf(options), options.onError);
  try {
    await client.connect();
    return session;
  } catch (error) {
    throw translate(error);
  }
}
