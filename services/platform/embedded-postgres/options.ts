export type EmbeddedPostgresOptions = {
  /** Made when missing. Holds the cluster, `server.log` and a lock. */
  readonly dataDir: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** Of the role `postgres`; set when the cluster is made, compared afterwards. */
  readonly superuserPassword: string;
  /** Server settings, as on its command line. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** 0 to 19; a server with more yields the processor to the others. */
  readonly niceness?: number | undefined;
  /** Told what an operator may want to know: a new cluster, an adopted server, data kept elsewhere. */
  readonly log?: ((message: string) => void) | undefined;
  /** For binaries and data that cannot be where they belong; default /var/lib/dualhome for root, ~/.cache/dualhome. */
  readonly runtimeDir?: string | undefined;
  /** Crash recovery included; default 120 s. */
  readonly startTimeoutMs?: number | undefined;
  /** How long a stop may take before sessions are cut off; default 10 s. */
  readonly stopTimeoutMs?: number | undefined;
};

/**
 * Loopback only, no socket files. System V shared memory between parallel workers, because /dev/shm is 64 MB in
 * containers. Logging to stderr, which is a file of ours.
 */
const OUR_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  dynamic_shared_memory_type: 'sysv',
  logging_collector: 'off',
  log_line_prefix: '%m [%p] %q%a@%d ',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** The server's command line. */
export function argumentsOf(
  command: string,
  clusterDir: string,
  { port, settings }: EmbeddedPostgresOptions,
): string[] {
  const assignments = Object.entries({ ...OUR_SETTINGS, ...settings }).map(
    ([name, value]) => `${name}=${value}`,
  );
  return [command, '-D', clusterDir, '-p', String(port), ...assignments.flatMap((each) => ['-c', each])];
}

/** Connection URL of a server on this machine. */
export function urlOf(port: number, database: string, role: string, password: string): string {
  const [name, secret, path] = [role, password, database].map(encodeURIComponent);
  return `postgres://${name}:${secret}@127.0.0.1:${port}/${path}`;
}
