import type { Socket } from 'node:net';
import type { ClientBase, ClientConfig } from 'pg';

export type ConnectionOptions = {
  /** postgres://role:password@host:port/database */
  readonly url: string;
  /** Name of the program, seen in pg_stat_activity. */
  readonly applicationName: string;
  /** Where unqualified names are looked up, where it is not the role's default. */
  readonly schema?: string | undefined;
  /** Other server settings of the connection. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Longest run of a statement; default 30 s, 0 for none. A connection silent 5 s beyond it is given up. */
  readonly statementTimeoutMs?: number | undefined;
  /** Called with failures of connections nobody is waiting on; they are replaced by themselves. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

const STATEMENT_TIMEOUT_MS = 30_000;
const SILENCE_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_DELAY_MS = 10_000;

export function toClientConfig({
  url,
  schema,
  settings,
  applicationName,
  statementTimeoutMs: timeoutMs = STATEMENT_TIMEOUT_MS,
}: ConnectionOptions): ClientConfig {
  return {
    connectionString: withSettings(url, { ...(schema && { search_path: schema }), ...settings }),
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    ...(timeoutMs > 0 && { statement_timeout: timeoutMs }),
  };
}

/** For how long a connection may leave a statement unanswered; 0 for ever. */
export function silenceMsOf({ statementTimeoutMs = STATEMENT_TIMEOUT_MS }: ConnectionOptions): number {
  return statementTimeoutMs > 0 ? statementTimeoutMs + SILENCE_MS : 0;
}

/** They travel in the startup message, so that no statement is ever sent without them. */
function withSettings(url: string, settings: Readonly<Record<string, string>>): string {
  const texts = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  if (texts.length === 0) return url;
  const own = new URL(url);
  const given = own.searchParams.get('options');
  own.searchParams.set('options', [...(given ? [given] : []), ...texts].join(' '));
  return own.href;
}

/** The socket of a connection, which the driver keeps out of its types. */
export function socketOf(client: ClientBase): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** Cuts the connection off, whatever is under way on it. */
export function destroyConnection(client: ClientBase): void {
  socketOf(client).destroy();
}
