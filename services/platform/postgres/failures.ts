import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';

const CONNECTION_ERRNO: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** What the driver says when a connection is gone; these errors carry no code. */
const CONNECTION_MESSAGE =
  /^(Connection terminated|Connection ended|Client has encountered a connection error|Client was closed|timeout (exceeded|expired)|Query read timeout|write after end|The server terminated)/i;

/** SQLSTATE (PostgreSQL appendix A), a class of it (two characters) or a state, to our code. A state wins over its class. */
const CODE_OF_STATE: Readonly<Record<string, ErrorCode>> = {
  '08': 'POSTGRES_UNREACHABLE',
  '57P01': 'POSTGRES_UNREACHABLE',
  '57P02': 'POSTGRES_UNREACHABLE',
  '57P03': 'POSTGRES_UNREACHABLE',
  '57P05': 'POSTGRES_UNREACHABLE',
  '25P03': 'POSTGRES_UNREACHABLE',
  '28': 'POSTGRES_REFUSED',
  '3D': 'POSTGRES_REFUSED',
  '57P04': 'POSTGRES_REFUSED',
  '53': 'POSTGRES_OUT_OF_RESOURCES',
  '57014': 'POSTGRES_TIMEOUT',
  '55P03': 'POSTGRES_TIMEOUT',
};

/** The SQLSTATE of a failed statement, also below the DualhomeError made of it. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof DualhomeError) return sqlStateOf(error.cause);
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return 'severity' in error ? error.code : undefined;
}

/** Whether a unique constraint or index (`constraint`, if named) refused a row. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (sqlStateOf(error) !== '23505') return false;
  return constraint === undefined || (error as { constraint?: string }).constraint === constraint;
}

/** Whether the transaction lost against another (serialization failure, deadlock): running it again is safe and can help. */
export function isTransactionConflict(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '40001' || state === '40P01';
}

/** Whether the connection that raised `error` cannot be used again. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof DualhomeError && error.code === 'POSTGRES_UNREACHABLE';
}

function codeOf(error: unknown): ErrorCode | undefined {
  const state = sqlStateOf(error);
  if (state !== undefined) return CODE_OF_STATE[state] ?? CODE_OF_STATE[state.slice(0, 2)];
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && CONNECTION_ERRNO.has(String(error.code))) return 'POSTGRES_UNREACHABLE';
  return CONNECTION_MESSAGE.test(error.message) ? 'POSTGRES_UNREACHABLE' : undefined;
}

/**
 * A driver's error as ours: a lost connection, a refused login, a limit hit become DualhomeErrors. Everything else (a
 * violated constraint, wrong SQL) is returned as it is, for the caller who can tell what it means.
 */
export function translate(error: unknown): unknown {
  if (error instanceof DualhomeError) return error;
  if (error instanceof AggregateError && error.errors.length > 0) return translate(error.errors[0]);
  const code = codeOf(error);
  return code ? new DualhomeError(code, { detail: messageOf(error), cause: error }) : error;
}
