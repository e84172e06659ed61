import type { ErrorDefinition } from './define.ts';
import { lifecycleErrors } from './lifecycle.ts';
import { logErrors } from './log.ts';
import { postgresErrors } from './postgres.ts';
import { tlsErrors } from './tls.ts';

/** Every error code of dualhome. `infra/reference/errors.md` is generated from it. */
export const errorRegistry = {
  ...lifecycleErrors,
  ...logErrors,
  ...postgresErrors,
  ...tlsErrors,
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errorRegistry;
