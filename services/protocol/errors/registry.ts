import type { ErrorDefinition } from './define.ts';
import { lifecycleErrors } from './lifecycle.ts';
import { postgresErrors } from './postgres.ts';

/** Every error code of dualhome. `infra/reference/errors.md` is generated from it. */
export const errorRegistry = {
  ...lifecycleErrors,
  ...postgresErrors,
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errorRegistry;
