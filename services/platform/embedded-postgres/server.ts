import { setPriority } from 'node:os';
import { resolve } from 'node:path';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { openDatabase } from '../postgres/database.ts';
import { findBinaries } from './binaries.ts';
import { clusterDirOf, ensureCluster } from './cluster.ts';
import { defaultRuntimeDir, prepareDataDir } from './directories.ts';
import { chooseOperatingUser } from './operating-user.ts';
import type { OperatingUser } from './operating-user.ts';
import { argumentsOf, urlOf } from './options.ts';
import type { EmbeddedPostgresOptions } from './options.ts';
import { claimDataDir } from './ownership.ts';
import { clearLeftovers, findRunning, readPidFile, spawnPostmaster, stopPostmaster } from './postmaster.ts';
import type { ExitStatus, Postmaster } from './postmaster.ts';
import { waitUntil } from './process.ts';
import { ServerLog } from './server-log.ts';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;
const READY_POLL_MS = 5;

export type { EmbeddedPostgresOptions } from './options.ts';

/** A running server that ends with its disposal, or before: see `exited`. */
export class EmbeddedPostgres implements AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Real path of the data directory. */
  readonly dataDir: string;
  /** Given to the cluster when it was made; another one means other data. */
  readonly systemIdentifier: string;
  /** Whether a server left behind was taken over, instead of one started. */
  readonly adopted: boolean;
  /** Settles when the main process has ended, stopped or crashed; then it may be started anew. */
  readonly exited: Promise<ExitStatus>;
  readonly #password: string;
  readonly #stop: () => Promise<void>;

  constructor(running: Running, systemIdentifier: string, stop: () => Promise<void>) {
    this.port = running.options.port;
    this.pid = running.postmaster.pid;
    this.dataDir = running.dataDir;
    this.systemIdentifier = systemIdentifier;
    this.adopted = running.postmaster.adopted;
    this.exited = running.postmaster.exited;
    this.#password = running.options.superuserPassword;
    this.#stop = stop;
  }

  /** Connection URL; of the superuser unless another role is named. */
  url(database: string, role = 'postgres', password = this.#password): string {
    return urlOf(this.port, database, role, password);
  }

  /** Fast shutdown, then an immediate one. */
  async stop(): Promise<void> {
    await this.#stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

type Running = {
  readonly options: EmbeddedPostgresOptions;
  readonly dataDir: string;
  readonly postmaster: Postmaster;
  readonly log: ServerLog;
};

/**
 * Starts a server on `dataDir`: made when missing, recovered when it crashed, adopted when it runs already (left behind by
 * a process that was killed) with the same settings, restarted when it runs with others.
 *
 * @throws DualhomeError POSTGRES_BINARIES_MISSING, _DATA_DIRECTORY, _IN_USE, _PORT_TAKEN, _REFUSED (another password),
 * _START_FAILED (with the end of the server's log)
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const runtimeDir = options.runtimeDir ?? defaultRuntimeDir();
  const user = chooseOperatingUser(clusterDirOf(options.dataDir));
  const binaries = await findBinaries(user, runtimeDir);
  const dataDir = prepareDataDir(options.dataDir, user, runtimeDir);
  if (dataDir !== resolve(options.dataDir))
    options.log?.(`The data of ${options.dataDir} is kept in ${dataDir}.`);

  using held = new DisposableStack();
  held.use(claimDataDir(dataDir));
  const log = held.use(new ServerLog(dataDir));
  const { superuserPassword } = options;
  if (await ensureCluster({ dataDir, binaries, user, superuserPassword })) {
    options.log?.(`Initialised a database cluster in ${dataDir}.`);
  }
  const argv = argumentsOf(binaries.postgres, clusterDirOf(dataDir), options);
  const postmaster = await adoptOrSpawn(argv, { options, dataDir, user, log });
  const running: Running = { options, dataDir, postmaster, log };
  const stop = (): Promise<void> => stopPostmaster(postmaster, options.stopTimeoutMs ?? STOP_TIMEOUT_MS);
  try {
    if (options.niceness !== undefined) setPriority(postmaster.pid, options.niceness);
    await waitUntilReady(running);
    const server = new EmbeddedPostgres(running, await readSystemIdentifier(options), stop);
    const claims = held.move();
    void postmaster.exited.then(() => claims.dispose());
    return server;
  } catch (error) {
    await stop();
    throw error;
  }
}

type SpawnContext = Pick<Running, 'options' | 'dataDir' | 'log'> & { readonly user: OperatingUser };

async function adoptOrSpawn(argv: readonly string[], context: SpawnContext): Promise<Postmaster> {
  const { options, dataDir, user, log } = context;
  const clusterDir = clusterDirOf(dataDir);
  const running = findRunning(clusterDir);
  if (running && running.argv.join('\0') === argv.join('\0')) {
    options.log?.(`Adopted the server that was running on ${dataDir} (process ${running.pid}).`);
    return running;
  }
  if (running) {
    options.log?.(
      `Restarting the server that was running on ${dataDir} with other settings (process ${running.pid}).`,
    );
    await stopPostmaster(running, options.stopTimeoutMs ?? STOP_TIMEOUT_MS);
  }
  await clearLeftovers(clusterDir);
  return spawnPostmaster(argv, user, log, dataDir);
}

/** The server writes its state into its pid file, which is how pg_ctl waits too. */
async function waitUntilReady({ options, dataDir, postmaster, log }: Running): Promise<void> {
  const isReady = (): boolean => {
    const file = readPidFile(clusterDirOf(dataDir));
    return file?.pid === postmaster.pid && file.ready;
  };
  const timeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
  await waitUntil(() => !postmaster.running() || isReady(), timeoutMs, READY_POLL_MS);
  const running = postmaster.running();
  if (running && isReady()) return;
  const tail = log.tail();
  const taken = /could not bind .*Address already in use/s.test(tail);
  throw new DualhomeError(taken ? 'POSTGRES_PORT_TAKEN' : 'POSTGRES_START_FAILED', {
    detail: `${running ? `The server was not ready after ${timeoutMs} ms` : 'The server ended'}; its log ends:\n${tail}`,
    facts: { dataDir, port: options.port },
  });
}

async function readSystemIdentifier({ port, superuserPassword }: EmbeddedPostgresOptions): Promise<string> {
  const url = urlOf(port, 'postgres', 'postgres', superuserPassword);
  await using database = openDatabase({ url, applicationName: 'dualhome supervisor', poolMax: 1 });
  const { rows } = await database.query<{ id: string }>(
    'select system_identifier::text as id from pg_control_system()',
  );
  return rows[0]?.id ?? '';
}
