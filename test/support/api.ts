import { hash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { serveApi } from '../../services/api/serve.ts';
import { HttpClient } from '../../services/platform/http/client.ts';
import { ResourceStack } from '../../services/platform/lifecycle/resource-stack.ts';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import type { ApiConfig, Role } from '../../services/protocol/program-config.ts';
import { roleSchema } from '../../services/protocol/program-config.ts';
import type { TestDatabase } from './postgres.ts';
import { testDatabase } from './postgres.ts';
import { freePort } from './free-port.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const factsSchema = z.object({ url: z.url() });

/** The token that opens a test's api with this role. */
export const tokenOf = (role: Role): Secret => new Secret(`token-${role}`);

/** An api in this process with databases of its own. */
export class TestApi implements AsyncDisposable {
  readonly url: string;
  readonly config: ApiConfig;
  /** Settles when the program has ended; rejects with what it failed with. */
  readonly ended: Promise<void>;
  readonly #stop: () => void;
  readonly #stack: AsyncDisposableStack;

  constructor(
    url: string,
    config: ApiConfig,
    ended: Promise<void>,
    stop: () => void,
    stack: AsyncDisposableStack,
  ) {
    this.url = url;
    this.config = config;
    this.ended = ended;
    this.#stop = stop;
    this.#stack = stack;
  }

  client(role: Role = 'operator'): HttpClient {
    return this.#stack.use(new HttpClient({ baseUrl: this.url, token: tokenOf(role) }));
  }

  /** As SIGTERM does. */
  async stop(): Promise<void> {
    this.#stop();
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.ended.catch(() => undefined);
    await this.#stack.disposeAsync();
  }
}

export type ApiDatabases = { readonly home: TestDatabase; readonly shared: TestDatabase };

/** Databases `home` and `shared`. */
export async function apiDatabases(): Promise<ApiDatabases & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const home = stack.use(await testDatabase('config'));
  const shared = stack.use(await testDatabase('shared'));
  return { home, shared, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Writes the key and returns the configuration of an api on these databases, its files in `dir`. */
export async function apiConfig(dir: string, urls: ApiConfig['databases']): Promise<ApiConfig> {
  const sealingKeyFile = join(dir, 'sealing.key');
  await writeFile(sealingKeyFile, randomBytes(32).toString('hex'), { flag: 'wx' }).catch(() => undefined);
  return {
    site: 'c1',
    dataDir: dir,
    diagnostics: { host: '127.0.0.1', port: await freePort() },
    logLevel: 'error',
    databases: urls,
    listen: { host: '127.0.0.1', port: await freePort() },
    tls: null,
    tokens: roleSchema.options.map((role) => ({
      name: `${role} of the test`,
      role,
      sha256: hash('sha256', tokenOf(role).reveal(), 'hex'),
    })),
    sealingKeyFile,
    witnessFile: join(dir, 'witness.json'),
    synchronizer: { host: '127.0.0.1', port: await freePort() },
    front: { host: '127.0.0.1', port: await freePort() },
    peers: ['c2'],
  };
}

/** Starts an api in this process on databases of its own, or on those given. */
export async function testApi(
  databases?: ApiDatabases,
  overrides: Partial<ApiConfig> = {},
): Promise<TestApi & ApiDatabases> {
  await using stack = new AsyncDisposableStack();
  const { home, shared } = databases ?? stack.use(await apiDatabases());
  const { path } = stack.use(await TemporaryDirectory.create());
  const config = { ...(await apiConfig(path, { home: home.url, shared: shared.url })), ...overrides };
  const { url, ended, stop } = await startApi(config);
  return Object.assign(new TestApi(url, config, ended, stop, stack.move()), { home, shared });
}

async function startApi(config: ApiConfig) {
  const stopping = new AbortController();
  const ready = Promise.withResolvers<string>();
  const ended = runApi(config, stopping.signal, (facts) => ready.resolve(factsSchema.parse(facts).url));
  ended.catch(ready.reject);
  return { url: await ready.promise, ended, stop: () => stopping.abort() };
}

async function runApi(
  config: ApiConfig,
  signal: AbortSignal,
  ready: (facts?: Readonly<Record<string, unknown>>) => void,
): Promise<void> {
  await using stack = new ResourceStack();
  const log = createLogger({ program: 'api', level: 'silent' });
  await serveApi(config, { signal, stack, program: { log, ready } });
}
