import type { ErrorDefinition } from './define.ts';
import { cliErrors } from './cli.ts';
import { configErrors } from './config.ts';
import { cryptoErrors } from './crypto.ts';
import { distributionErrors } from './distribution.ts';
import { filesErrors } from './files.ts';
import { ftpErrors } from './ftp.ts';
import { httpErrors } from './http.ts';
import { ipcErrors } from './ipc.ts';
import { jobErrors } from './job.ts';
import { lifecycleErrors } from './lifecycle.ts';
import { linkErrors } from './link.ts';
import { logErrors } from './log.ts';
import { pairingErrors } from './pairing.ts';
import { postgresErrors } from './postgres.ts';
import { processorErrors } from './processor.ts';
import { siteErrors } from './site.ts';
import { frontErrors } from './front.ts';
import { synchronizerErrors } from './synchronizer.ts';
import { tlsErrors } from './tls.ts';
import { transferErrors } from './transfer.ts';
import { verifyErrors } from './verify.ts';

/** Every error code of dualhome. `infra/reference/errors.md` is generated from it. */
export const errorRegistry = {
  ...cliErrors,
  ...configErrors,
  ...cryptoErrors,
  ...distributionErrors,
  ...filesErrors,
  ...ftpErrors,
  ...httpErrors,
  ...ipcErrors,
  ...jobErrors,
  ...lifecycleErrors,
  ...linkErrors,
  ...logErrors,
  ...pairingErrors,
  ...postgresErrors,
  ...processorErrors,
  ...siteErrors,
  ...frontErrors,
  ...synchronizerErrors,
  ...tlsErrors,
  ...transferErrors,
  ...verifyErrors,
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errorRegistry;
