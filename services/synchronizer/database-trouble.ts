import { DualhomeError, isDualhomeError, messageOf } from '../protocol/errors/index.ts';
import { sqlStateOf } from '../platform/postgres/failures.ts';

/**
 * What a database answered, or that it did not, as a registered error; undefined for what is no
 * trouble of a database. Where nothing is known to be wrong with the statement, it may pass.
 */
export function databaseTrouble(error: unknown): DualhomeError | undefined {
  if (isDualhomeError(error)) return error.code.startsWith('POSTGRES_') ? error : undefined;
  if (sqlStateOf(error) === undefined) return undefined;
  return new DualhomeError('POSTGRES_UNREACHABLE', { detail: messageOf(error), cause: error });
}
