import type { FrontConfig } from '../protocol/program-config.ts';
import { positionToJson } from '../protocol/link/position-json.ts';
import { callExplainQuerySchema, dispatchExplainQuerySchema } from '../protocol/rest/dispatch.ts';
import { incarnationCauseSchema } from '../protocol/rest/log.ts';
import { readKeyFile } from '../platform/crypto/key-file.ts';
import { systemClock } from '../platform/lifecycle/clock.ts';
import type { ResourceStack } from '../platform/lifecycle/resource-stack.ts';
import type { Logger } from '../platform/logging/logger.ts';
import { startDiagnosticsServer } from '../platform/metrics/diagnostics-server.ts';
import { openDatabase } from '../platform/postgres/database.ts';
import type { Database } from '../platform/postgres/database.ts';
import { CertificateStore } from '../platform/tls/certificate-store.ts';
import type { TokenKeys } from '../sip/auth/token.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { dispatchTable, explainDispatch } from './dispatch/explain.ts';
import { ProcessorClient } from './dispatch/processor-client.ts';
import { openDistribution } from './distribution/open-distribution.ts';
import type { DistributionParts } from './distribution/open-distribution.ts';
import { Engine } from './engine/engine.ts';
import { FrontMetrics } from './metrics.ts';
import type { FrontFigures } from './metrics.ts';
import type { CallRehearsal } from './proxy/call-rehearsal.ts';
import { startProxy } from './proxy/start-proxy.ts';
import { Expiry } from './registrar/expiry.ts';
import { KeyedQueue } from './registrar/keyed-queue.ts';
import { OutboundConnections } from './registrar/outbound-connections.ts';
import { Registrar } from './registrar/registrar.ts';
import { Requests } from './requests.ts';
import { SiteConfigurationWatch } from './site-configuration.ts';
import { SourceLimits } from './transport/source-limits.ts';
import { Transports } from './transport/transports.ts';

const applicationName = 'dualhome front';
const clock = systemClock;

export type FrontRun = {
  readonly log: Logger;
  readonly stack: ResourceStack;
  readonly signal: AbortSignal;
};

export type Front = {
  /** Rejects when another process has written the registration log: this one must end. */
  readonly fenced: Promise<never>;
};

/**
 * Serves on the listeners of `config` until the stack is released.
 *
 * @throws FILES_UNREADABLE, TLS_*
 */
export async function startFront(config: FrontConfig, run: FrontRun): Promise<Front> {
  const { log, stack, signal } = run;
  const metrics = new FrontMetrics(config.site);
  const tokenKeys = await readTokenKeys(config);
  const certificates = stack.use('certificates', await openCertificates(config, log));
  const onError = (err: unknown): void => log.debug({ err }, 'a database connection was lost');
  const open = (url: string): Database => openDatabase({ url, applicationName, onError });
  const home = stack.use('home database', open(config.databases.home));
  const shared = stack.use('shared database', open(config.databases.shared));
  const known = await openDistribution({ config, applicationName, shared, metrics, log, stack, signal });
  const { distribution, registrations } = known;
  const { dispatcher, configuration } = await openDispatcher(config, run, { home, shared, distribution });
  const requests = new Requests();
  const engine = stack.use('engine', new Engine(clock, requests));
  const transports = stack.use('transports', await openTransports(config, certificates, engine));
  engine.attach(transports);
  // What was taken is answered while there are still sockets to answer by.
  stack.defer('registrations under way', () => registrations[Symbol.asyncDispose]());
  const limits = new SourceLimits((address) => distribution.addresses.mayHave(address), clock);
  const queue = new KeyedQueue();
  const connections = new OutboundConnections();
  const shares = { distribution, registrations, queue, clock, log };
  const expiry = stack.use('expiry', new Expiry({ site: config.site, ...shares }));
  const { seen } = known;
  const registrar = new Registrar({
    ...shares,
    engine,
    transports,
    limits,
    dispatcher,
    connections,
    seen,
    tokenKeys,
  });
  const { links } = known;
  const { proxy, rehearsal } = await startProxy({
    config,
    tokenKeys,
    engine,
    transports,
    limits,
    dispatcher,
    distribution,
    links,
    clock,
    log,
    stack,
  });
  requests.serve({ engine, transports, dispatcher, registrar, proxy, expiry, connections, limits, log });
  const observed = { distribution, registrations, engine, transports, limits };
  metrics.observe(() => figuresOf(config, observed));
  await serveDiagnostics(config, run, {
    registry: metrics.registry,
    dispatcher,
    rehearsal,
    configuration,
    registrations,
    own: known.own,
  });
  return { fenced: registrations.fenced.then((error) => Promise.reject(error)) };
}

type Diagnosed = Pick<DistributionParts, 'registrations' | 'own'> & {
  readonly registry: FrontMetrics['registry'];
  readonly dispatcher: Dispatcher;
  readonly rehearsal: CallRehearsal;
  readonly configuration: SiteConfigurationWatch;
};

async function serveDiagnostics(
  { diagnostics }: FrontConfig,
  { stack }: FrontRun,
  { registry, dispatcher, rehearsal, configuration, registrations, own }: Diagnosed,
): Promise<void> {
  const table = () => dispatchTable(dispatcher.processors, configuration.current);
  const health = () => ({ healthy: registrations.state.open, processors: table().processors });
  const pages = {
    '/dispatch': table,
    '/dispatch/explain': (query: URLSearchParams) => {
      const { aor } = dispatchExplainQuerySchema.parse(Object.fromEntries(query));
      return explainDispatch(dispatcher, aor);
    },
    '/dispatch/explain-call': (query: URLSearchParams) => {
      const { from, called } = callExplainQuerySchema.parse(Object.fromEntries(query));
      return rehearsal.explain(from, called);
    },
  };
  const actions = {
    '/log/incarnations': async (cause: unknown) =>
      positionToJson(await own.beginIncarnation(incarnationCauseSchema.parse(cause))),
  };
  stack.use(
    'diagnostics',
    await startDiagnosticsServer({ ...diagnostics, registry, health, pages, actions }),
  );
}

type DispatcherSources = Pick<DistributionParts, 'distribution'> & {
  readonly home: Database;
  readonly shared: Database;
};

/** The processors, and the rules by which one of them is asked. */
async function openDispatcher(
  config: FrontConfig,
  { log, stack }: FrontRun,
  { home, shared, distribution }: DispatcherSources,
): Promise<{ readonly dispatcher: Dispatcher; readonly configuration: SiteConfigurationWatch }> {
  const forget = (): void => dispatcher.forget();
  const configuration = stack.use(
    'site configuration',
    new SiteConfigurationWatch({
      home,
      homeUrl: config.databases.home,
      shared,
      applicationName,
      log,
      onChange: forget,
    }),
  );
  const processors = config.processors.map((each) =>
    stack.use(
      `processor of ${each.owner}`,
      new ProcessorClient({ config: each, clock, log, onConfiguration: forget }),
    ),
  );
  const dispatcher = new Dispatcher({
    processors,
    rules: () => configuration.current.rules,
    ownerOf: (aor) => distribution.ownerOf(aor),
  });
  await configuration.start();
  return { dispatcher, configuration };
}

function openTransports(
  config: FrontConfig,
  certificates: CertificateStore,
  { events }: Engine,
): Promise<Transports> {
  const peers = () =>
    config.peers.flatMap(({ name }, i) => {
      const authority = certificates.current.authorities[i];
      return authority ? [{ name, authority }] : [];
    });
  return Transports.open({ listeners: config.listeners, certificates, peers, events, clock });
}

function openCertificates({ certificate, peers }: FrontConfig, log: Logger): Promise<CertificateStore> {
  return CertificateStore.open({
    keyFile: certificate.keyFile,
    certificateFile: certificate.certFile,
    authorityFiles: peers.map(({ caFile }) => caFile),
    onProblem: (err) => log.warn({ err }, 'changed certificate files cannot be used'),
  });
}

/** This site's key first, which signs; then those of the peers, whose tokens are opened here. */
async function readTokenKeys({ tokenKeyFile, peers }: FrontConfig): Promise<TokenKeys> {
  const read = async (path: string): Promise<Buffer> => Buffer.from((await readKeyFile(path)).reveal());
  const [own, ...others] = await Promise.all(
    [tokenKeyFile, ...peers.map((peer) => peer.tokenKeyFile)].map(read),
  );
  if (!own) throw new Error('there is always the key of this site');
  return [own, ...others];
}

type Observed = Pick<DistributionParts, 'distribution' | 'registrations'> & {
  readonly engine: Engine;
  readonly transports: Transports;
  readonly limits: SourceLimits;
};

function figuresOf(
  { site, peers }: FrontConfig,
  { distribution, registrations, engine, transports, limits }: Observed,
): FrontFigures {
  return {
    flows: distribution.count(site),
    peer_flows: peers.reduce((sum, { name }) => sum + distribution.count(name), 0),
    registrations_queued: registrations.queued,
    log_open: Number(registrations.state.open),
    connections: transports.connections,
    transactions: engine.transactions,
    refused_messages: limits.refused,
    overloads: engine.overloads,
  };
}
