import type { Sealer } from '../platform/crypto/sealing.ts';
import type { HttpServer } from '../platform/http/server.ts';
import type { Logger } from '../platform/logging/logger.ts';
import type { Database } from '../platform/postgres/database.ts';
import type { LogName } from '../protocol/names.ts';
import type { ApiConfig } from '../protocol/program-config.ts';
import type { Applied } from './applied.ts';
import type { ConfigurationLog } from './change/configuration-log.ts';
import type { Front } from './front.ts';
import type { Principal } from './principal.ts';
import type { Synchronizer } from './synchronizer.ts';

/** What routes work with. */
export type ApiContext = {
  readonly config: ApiConfig;
  readonly server: HttpServer<Principal>;
  readonly home: Database;
  readonly shared: Database;
  /** Where each log of this site is read. */
  readonly logs: Readonly<Record<LogName, Database>>;
  readonly homeLog: ConfigurationLog;
  readonly sealer: Sealer;
  readonly synchronizer: Synchronizer;
  readonly front: Front;
  readonly applied: Applied;
  /** Name and version of this program. */
  readonly software: string;
  readonly log: Logger;
  /** Aborts when the program stops: streams end at the next whole answer. */
  readonly signal: AbortSignal;
};
