import { isDualhomeError } from '../../protocol/errors/index.ts';

/** How a program ends; a supervisor starts it again after `failed` and leaves it stopped after the others. */
export const exitCodes = { intended: 0, failed: 1, refused: 2 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** `refused` when starting again unchanged cannot help (configuration, a guarded state), else `failed`. */
export function exitCodeOf(error: unknown): ExitCode {
  return isDualhomeError(error) && error.definition.retry === 'no' ? exitCodes.refused : exitCodes.failed;
}
