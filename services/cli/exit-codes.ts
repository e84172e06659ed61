import { isDualhomeError } from '../protocol/errors/index.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';

/** How the command ends, for scripts. */
export const exitCodes = {
  success: 0,
  /** It was tried and did not work out. */
  failed: 1,
  /** Nothing was done: the input or the state of things forbids it. */
  refused: 2,
  /** Nobody answered: the site, its api or a database does not run or cannot be reached. */
  unreachable: 3,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const unreachable: ReadonlySet<ErrorCode> = new Set([
  'API_UNREACHABLE',
  'API_TIMEOUT',
  'PAIRING_UNREACHABLE',
  'POSTGRES_UNREACHABLE',
  'SITE_NOT_RUNNING',
]);

export function exitCodeOf(error: unknown): ExitCode {
  if (!isDualhomeError(error)) return exitCodes.failed;
  if (unreachable.has(error.code)) return exitCodes.unreachable;
  const { retry, http } = error.definition;
  return retry === 'no' || (http >= 400 && http < 500) ? exitCodes.refused : exitCodes.failed;
}
