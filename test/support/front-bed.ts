import { startFront } from '../../services/front/front.ts';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { ResourceStack } from '../../services/platform/lifecycle/resource-stack.ts';
import { writeFileAtomic } from '../../services/platform/files/write-atomic.ts';
import { frontConfigSchema } from '../../services/protocol/program-config.ts';
import type { FrontConfig } from '../../services/protocol/program-config.ts';
import { certificateFiles } from './engine-bed.ts';
import { freePort } from './free-port.ts';
import { testDatabase } from './postgres.ts';
import type { TestDatabase } from './postgres.ts';
import { ScriptedProcessor } from './scripted-processor.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

export type FrontBedOptions = {
  /** Databases of the front; by default two of the bed's own. */
  readonly urls?: { readonly home: string; readonly shared: string } | undefined;
};

/**
 * What a front of site c1, whose peer is c2, needs: databases, certificates, keys, and a scripted processor for each
 * site's subscribers. The front itself is started by `start`, in this process, or by a test from `configFile`.
 */
export class FrontBed implements AsyncDisposable {
  readonly config: FrontConfig;
  readonly directory: TemporaryDirectory;
  readonly home: ScriptedProcessor;
  readonly standby: ScriptedProcessor;
  readonly #databases: { readonly home: TestDatabase; readonly shared: TestDatabase } | undefined;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<FrontBed, 'config' | 'directory' | 'home' | 'standby'>,
    databases: { readonly home: TestDatabase; readonly shared: TestDatabase } | undefined,
    stack: AsyncDisposableStack,
  ) {
    this.config = parts.config;
    this.directory = parts.directory;
    this.home = parts.home;
    this.standby = parts.standby;
    this.#databases = databases;
    this.#stack = stack;
  }

  static async open({ urls }: FrontBedOptions = {}): Promise<FrontBed> {
    const stack = new AsyncDisposableStack();
    const databases = urls
      ? undefined
      : {
          home: stack.use(await testDatabase('config')),
          shared: stack.use(await testDatabase('shared')),
        };
    const directory = stack.use(await TemporaryDirectory.create());
    const [own, peer] = [await certificateFiles(directory, 'c1'), await certificateFiles(directory, 'c2')];
    for (const site of ['c1', 'c2']) await writeFileAtomic(directory.file(`${site}.token`), 'ab'.repeat(32));
    const processor = async (owner: string, role: 'home' | 'standby') =>
      stack.use(await ScriptedProcessor.open(directory.file(`${owner}.sock`), { owner, role }));
    const [home, standby] = [await processor('c1', 'home'), await processor('c2', 'standby')];
    const [port, diagnosticsPort, synchronizerPort] = await Promise.all([freePort(), freePort(), freePort()]);
    const listen = { host: '127.0.0.1', port };
    const config = frontConfigSchema.parse({
      site: 'c1',
      dataDir: directory.path,
      diagnostics: { host: '127.0.0.1', port: diagnosticsPort },
      databases: urls ?? { home: databases?.home.url, shared: databases?.shared.url },
      witnessFile: directory.file('witness.json'),
      listeners: (['udp', 'tcp'] as const).map((transport) => ({ transport, listen, advertised: listen })),
      certificate: { keyFile: own.keyFile, certFile: own.certificateFile, caFile: own.authorityFile },
      tokenKeyFile: directory.file('c1.token'),
      processors: [
        { owner: 'c1', role: 'home', socket: home.path },
        { owner: 'c2', role: 'standby', socket: standby.path },
      ],
      peers: [
        { name: 'c2', sip: null, caFile: peer.authorityFile, tokenKeyFile: directory.file('c2.token') },
      ],
      synchronizer: { host: '127.0.0.1', port: synchronizerPort },
      callRecords: directory.file('calls'),
    });
    await writeFileAtomic(directory.file('front.json'), JSON.stringify(config));
    return new FrontBed({ config, directory, home, standby }, databases, stack);
  }

  get configFile(): string {
    return this.directory.file('front.json');
  }

  /** Of UDP and TCP. */
  get port(): number {
    return this.config.listeners[0]?.listen.port ?? 0;
  }

  get shared(): TestDatabase {
    if (!this.#databases) throw new Error('the databases are not of this bed');
    return this.#databases.shared;
  }

  get homeDatabase(): TestDatabase {
    if (!this.#databases) throw new Error('the databases are not of this bed');
    return this.#databases.home;
  }

  /** A front in this process, until it is disposed of. */
  async start(overrides: Partial<FrontConfig> = {}): Promise<AsyncDisposable> {
    const stack = new ResourceStack();
    const stopping = new AbortController();
    const log = createLogger({ program: 'front', level: 'fatal' });
    const { fenced } = await startFront(
      { ...this.config, ...overrides },
      { log, stack, signal: stopping.signal },
    );
    fenced.catch(() => undefined);
    return {
      async [Symbol.asyncDispose]() {
        stopping.abort();
        await stack[Symbol.asyncDispose]();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
