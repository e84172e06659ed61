import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { startProcessor } from '../../services/processor/processor.ts';
import { ResourceStack } from '../../services/platform/lifecycle/resource-stack.ts';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { Sealer } from '../../services/platform/crypto/sealing.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import type { ProcessorConfig } from '../../services/protocol/program-config.ts';
import type { RegisterFacts } from '../../services/protocol/dispatch/register.ts';
import { keyOf } from '../../services/model/kind.ts';
import type { Kind } from '../../services/model/kind.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import type { Row } from '../../services/model/table.ts';
import { FrontClient } from './front-client.ts';
import { appendEvents } from './log.ts';
import { testDatabase } from './postgres.ts';
import type { TestDatabase } from './postgres.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { freePort } from './free-port.ts';

/** A processor's database and files, and what its api would do. */
export class ProcessorBed implements AsyncDisposable {
  readonly database: TestDatabase;
  readonly config: ProcessorConfig;
  readonly #sealer: Sealer;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    database: TestDatabase,
    config: ProcessorConfig,
    sealer: Sealer,
    stack: AsyncDisposableStack,
  ) {
    [this.database, this.config, this.#sealer, this.#stack] = [database, config, sealer, stack];
  }

  static async create(overrides: Partial<ProcessorConfig> = {}): Promise<ProcessorBed> {
    await using stack = new AsyncDisposableStack();
    const database = stack.use(await testDatabase('config'));
    const directory = stack.use(await TemporaryDirectory.create());
    const key = randomBytes(32);
    await writeFile(directory.file('sealing.key'), key.toString('hex'));
    await writeFile(directory.file('nonce.key'), randomBytes(32).toString('hex'));
    const config: ProcessorConfig = {
      site: 'c1',
      role: 'home',
      owner: 'c1',
      dataDir: directory.path,
      diagnostics: { host: '127.0.0.1', port: await freePort() },
      logLevel: 'error',
      database: database.url,
      socket: directory.file('processor.sock'),
      sealingKeyFile: directory.file('sealing.key'),
      nonceKeyFile: directory.file('nonce.key'),
      ...overrides,
    };
    const sealer = new Sealer(new Secret<Uint8Array>(key));
    return new ProcessorBed(database, config, sealer, stack.move());
  }

  /** Starts the processor in this process. */
  async start(): Promise<AsyncDisposable> {
    const stack = new ResourceStack();
    const log = createLogger({ program: 'processor', level: 'silent' });
    try {
      await startProcessor(this.config, { log, stack });
    } catch (error) {
      await stack[Symbol.asyncDispose]();
      throw error;
    }
    return stack;
  }

  connect(): Promise<FrontClient> {
    return FrontClient.connect(this.config.socket);
  }

  /** Puts rows, or removes those of `gone`, with their secrets sealed, in one event; returns its seq. */
  async put(kind: Kind, rows: readonly Row[], gone: readonly Row[] = []): Promise<number> {
    await using session = await openPipeline({ url: this.database.url, applicationName: 'test' });
    const changes = [
      ...rows.map((row) => ({ key: keyOf(kind, row), before: null, after: this.#sealed(kind, row) })),
      ...gone.map((row) => ({ key: keyOf(kind, row), before: row, after: null })),
    ];
    const { seq } = await appendEvents(session, [{ kind, changes }]);
    await session.query(`notify dualhome_log`);
    return seq;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #sealed(kind: Kind, row: Row): Row {
    if (kind !== subscriber) return row;
    const seal = (field: string) =>
      typeof row[field] === 'string'
        ? { [field]: this.#sealer.seal(new Secret(row[field]), `subscriber/${keyOf(kind, row)}/${field}`) }
        : {};
    return { ...row, ...seal('ha1_md5'), ...seal('ha1_sha256') };
  }
}

/** What a front says of the REGISTER of a device of this user. */
export const registerFacts = (user: string, facts: Partial<RegisterFacts> = {}): RegisterFacts => ({
  kind: 'register',
  party: { user, host: 'c1.example' },
  credentials: null,
  source: { transport: 'udp', address: '192.0.2.9', port: 5060 },
  instance: null,
  contactHost: '192.0.2.9:5060',
  ...facts,
});
