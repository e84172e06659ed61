import { configurationLog } from '../log/definition.ts';
import { watchAlarms } from '../log/watch-alarms.ts';
import { WrittenLog } from '../log/written-log.ts';
import { aborted } from '../platform/lifecycle/abort.ts';
import type { Program } from '../platform/lifecycle/program.ts';
import type { ResourceStack } from '../platform/lifecycle/resource-stack.ts';
import { startDiagnosticsServer } from '../platform/metrics/diagnostics-server.ts';
import { createHttpServer } from '../platform/http/server.ts';
import { openDatabase } from '../platform/postgres/database.ts';
import { CertificateStore } from '../platform/tls/certificate-store.ts';
import { ownSchema } from '../protocol/names.ts';
import type { ApiConfig } from '../protocol/program-config.ts';
import { Applied } from './applied.ts';
import { changePlanner } from './change/configuration-log.ts';
import type { ConfigurationLog } from './change/configuration-log.ts';
import type { ChangeAnswer, ChangeRequest } from './change/intent.ts';
import type { ApiContext } from './context.ts';
import { createApiMetrics } from './metrics.ts';
import { principals } from './principal.ts';
import { openSealer, softwareVersion } from './read-config.ts';
import { registerRoutes } from './routes/index.ts';
import { Front } from './front.ts';
import { Synchronizer } from './synchronizer.ts';

const applicationName = 'dualhome api';

/** As status shows it. */
const software = softwareVersion();

/** How long a change waits to be applied at the peers, where that was asked for. */
const APPLIED_TIMEOUT_MS = 30_000;

export type ApiRun = {
  readonly signal: AbortSignal;
  readonly stack: ResourceStack;
  readonly program: Program;
};

/** Runs the api until `signal` aborts. @throws LOG_FENCED when another process has written the log */
export async function serveApi(config: ApiConfig, { signal, stack, program }: ApiRun): Promise<void> {
  const { log } = program;
  const onTrouble = (error: unknown): void => log.warn({ err: error }, 'database trouble');
  const sealer = await openSealer(config.sealingKeyFile);
  const { home: url, shared: sharedUrl } = config.databases;
  const home = stack.use('home database', openDatabase({ url, applicationName, onError: onTrouble }));
  const shared = stack.use(
    'shared database',
    openDatabase({ url: sharedUrl, applicationName, onError: onTrouble }),
  );
  const registrations = stack.use(
    'registration log',
    openDatabase({ url: sharedUrl, schema: ownSchema, applicationName, onError: onTrouble }),
  );
  const metrics = createApiMetrics(config.site);

  const homeLog = stack.use(
    'configuration log',
    new WrittenLog<ChangeRequest, ChangeAnswer>({
      definition: configurationLog,
      planner: changePlanner(config.site),
      site: config.site,
      url,
      applicationName,
      witnessFile: config.witnessFile,
      shared,
      onTrouble,
      onGroup: metrics.onGroup,
      onState: (state) => {
        if (state.open) log.info({ seq: state.head.seq }, 'the configuration log is open');
        else
          log.warn(
            { code: state.reason.code, detail: state.reason.detail },
            'the configuration log is closed',
          );
      },
    }),
  );
  metrics.observe(homeLog);
  await homeLog.check().catch(onTrouble);
  stack.use(
    'alarm watch',
    watchAlarms({ url: sharedUrl, applicationName, check: () => homeLog.check(), onError: onTrouble }),
  );

  const certificates = config.tls && stack.use('certificates', await openCertificates(config.tls, onTrouble));
  const server = stack.use(
    'http server',
    await createHttpServer({
      title: 'dualhome',
      version: software,
      logger: log,
      authenticate: principals(config.tokens),
      certificates: certificates ?? undefined,
    }),
  );
  const synchronizer = stack.use('synchronizer client', new Synchronizer(config.synchronizer));
  const front = stack.use('front client', new Front(config.front));
  const applied = new Applied({
    site: config.site,
    status: () => synchronizer.status(),
    timeoutMs: APPLIED_TIMEOUT_MS,
  });
  const context: ApiContext = {
    config,
    server,
    home,
    shared,
    logs: { configuration: home, registration: registrations },
    homeLog,
    sealer,
    synchronizer,
    front,
    applied,
    software,
    log,
    signal,
  };
  registerRoutes(context);
  const baseUrl = await server.listen(config.listen);
  stack.use(
    'diagnostics',
    await startDiagnosticsServer({
      ...config.diagnostics,
      registry: metrics.registry,
      health: () => healthOf(homeLog),
    }),
  );
  program.ready({ url: baseUrl });
  log.info({ url: baseUrl }, 'serving');
  const fenced = await Promise.race([aborted(signal), homeLog.fenced]);
  if (fenced) throw fenced;
}

function openCertificates(
  { keyFile, certFile, caFile }: NonNullable<ApiConfig['tls']>,
  onProblem: (error: unknown) => void,
): Promise<CertificateStore> {
  return CertificateStore.open({ keyFile, certificateFile: certFile, authorityFiles: [caFile], onProblem });
}

function healthOf({ state, queued }: ConfigurationLog) {
  return state.open
    ? { healthy: true, seq: state.head.seq, queued }
    : { healthy: false, code: state.reason.code, detail: state.reason.detail ?? null };
}
