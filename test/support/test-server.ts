import { realpathSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../services/platform/embedded-postgres/server.ts';
import type { EmbeddedPostgres } from '../../services/platform/embedded-postgres/server.ts';
import { isDualhomeError } from '../../services/protocol/errors/index.ts';
import { copyCluster } from './cluster-template.ts';
import { freePort } from './free-port.ts';
import { Guard } from './guard.ts';

export type TestServerOptions = {
  /** Writes survive a crash of the machine, as in production; default false, which is faster. */
  readonly durable?: boolean | undefined;
  readonly settings?: Readonly<Record<string, string>> | undefined;
};

const FAST = { fsync: 'off', full_page_writes: 'off' };
const PASSWORD = 'test';
const PORT_ATTEMPTS = 5;

/** A PostgreSQL server of a test's own, in a temporary directory, on a port that stays the same over restarts. */
export class TestServer implements AsyncDisposable {
  readonly dataDir: string;
  readonly #options: TestServerOptions;
  readonly #guard: Guard;
  #server: EmbeddedPostgres | undefined;
  #port = 0;

  constructor(dataDir: string, options: TestServerOptions) {
    this.dataDir = dataDir;
    this.#options = options;
    this.#guard = new Guard(CLEAR_UP, dataDir);
  }

  /** The server as it runs now. */
  get server(): EmbeddedPostgres {
    if (!this.#server) throw new Error('the server is stopped');
    return this.#server;
  }

  url(database: string, role?: string, password?: string): string {
    return this.server.url(database, role, password);
  }

  /** The first time on a free port; again on the same one. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const port = this.#port || (await freePort());
      try {
        this.#server = await startEmbeddedPostgres({
          dataDir: this.dataDir,
          port,
          superuserPassword: PASSWORD,
          settings: { ...(!this.#options.durable && FAST), ...this.#options.settings },
        });
        this.#port = port;
        return;
      } catch (error) {
        if (!isDualhomeError(error, 'POSTGRES_PORT_TAKEN') || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  /** kill -9 of the main process; the others notice and end. */
  async kill(): Promise<void> {
    process.kill(this.server.pid, 'SIGKILL');
    await this.server.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#guard[Symbol.asyncDispose]();
  }
}

/** A run that was killed leaves neither a server nor its files. */
const CLEAR_UP = `
pid=$(head -n 1 "$1/pgdata/postmaster.pid" 2> /dev/null)
if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1/pgdata" ]; then kill -QUIT "$pid"; fi
while [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1/pgdata" ]; do sleep 0.05; done
rm -rf "$(dirname "$1")"`;

export async function testServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dir = await mkdtemp(join(realpathSync(tmpdir()), 'dualhome-postgres-'));
  await chmod(dir, 0o711);
  const server = new TestServer(join(dir, 'data'), options);
  try {
    await copyCluster(server.dataDir, PASSWORD);
    await server.start();
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
