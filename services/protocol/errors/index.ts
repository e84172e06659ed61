import { errorRegistry } from './registry.ts';
import type { ErrorCode } from './registry.ts';
import type { ErrorDefinition } from './define.ts';

export type { ErrorCode } from './registry.ts';
export type { ErrorDefinition } from './define.ts';
export { errorRegistry } from './registry.ts';

/** What a DualhomeError carries beside its code: words for a person, facts for a program. */
export type ErrorDetails = {
  /** One sentence about this occurrence. */
  readonly detail?: string | undefined;
  /** Names and numbers of this occurrence; never a secret. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
};

/** An expected failure with a registered code. Anything else that is thrown is a defect. */
export class DualhomeError extends Error {
  override readonly name = 'DualhomeError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, { detail, facts, cause }: ErrorDetails = {}) {
    super(detail ? `${code}: ${detail}` : `${code}: ${errorRegistry[code].summary}`, { cause });
    this.code = code;
    this.detail = detail;
    this.facts = facts ?? {};
  }

  /** The registry's entry: summary, action, retry, http. */
  get definition(): ErrorDefinition {
    return errorRegistry[this.code];
  }
}

/** Whether `error` is a DualhomeError, of `code` where one is named. */
export function isDualhomeError(error: unknown, code?: ErrorCode): error is DualhomeError {
  return error instanceof DualhomeError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
