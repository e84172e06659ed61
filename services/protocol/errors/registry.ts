import type { ErrorDefinition } from './define.ts';
import { httpErrors } from './http.ts';
import { ftpErrors } from './ftp.ts';
import { lifecycleErrors } from './lifecycle.ts';
import { logErrors } from './log.ts';
import { postgresErrors } from './postgres.ts';
import { tlsErrors } from './tls.ts';

/** Every error code of dualhome. `infra/reference/errors.md` is generated from it. */
export const errorRegistry = {
  ...httpErrors,
  ...ftpErrors,
  ...lifecycleErrors,
  ...logErrors,
  ...postgresErrors,
  ...tlsErrors,
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errorRegistry;
