import type { ClientBase, QueryConfig, QueryResult } from 'pg';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { destroyConnection } from './connection.ts';

/**
 * Has a client run a query, and cuts off one that does not answer for `silenceMs`; 0 for no limit.
 *
 * The driver has a promise and a limit of its own, but assigns functions to a property of the query for them. V8 makes a
 * function that is written where a property is assigned an old object at once: all that it can reach, the parameters and
 * the rows of every query, stayed until old objects were collected, which then was done after each thousand of queries.
 */
export async function ask(client: ClientBase, config: QueryConfig, silenceMs: number): Promise<QueryResult> {
  const { promise, resolve, reject } = Promise.withResolvers<QueryResult>();
  const onSilence = (): void => {
    reject(new DualhomeError('POSTGRES_UNREACHABLE', { detail: `It has not answered for ${silenceMs} ms.` }));
    destroyConnection(client);
  };
  const limit = silenceMs > 0 ? setTimeout(onSilence, silenceMs) : undefined;
  client.query(config, (error: Error | null, result: QueryResult) => {
    if (error) reject(error);
    else resolve(result);
  });
  try {
    return await promise;
  } catch (error) {
    // In place of the way to the socket's event: the way to whoever asked.
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  } finally {
    clearTimeout(limit);
  }
}
