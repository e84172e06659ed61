import type { Facts } from '../protocol/dispatch/messages.ts';
import type { ProcessorConfig } from '../protocol/program-config.ts';
import { readKeyFile } from '../platform/crypto/key-file.ts';
import { Sealer } from '../platform/crypto/sealing.ts';
import { systemClock } from '../platform/lifecycle/clock.ts';
import type { ResourceStack } from '../platform/lifecycle/resource-stack.ts';
import type { Logger } from '../platform/logging/logger.ts';
import { startDiagnosticsServer } from '../platform/metrics/diagnostics-server.ts';
import { steadyPlans } from '../log/steady-plans.ts';
import { openDatabase } from '../platform/postgres/database.ts';
import { Answers } from './answers.ts';
import { Configuration } from './configuration/configuration.ts';
import { Authenticator } from './credentials/authenticator.ts';
import { DispatchServer } from './dispatch/server.ts';
import { createProcessorMetrics } from './metrics.ts';
import { stateOf } from './state.ts';

const tidyMs = 10_000;
/** A statement that runs longer has hung: every one of ours takes a few milliseconds. */
const statementTimeoutMs = 3_000;

/** Answers on `config.socket` until the stack is released. @throws FILES_UNREADABLE, CRYPTO_KEY_INVALID, IPC_SOCKET_* */
export async function startProcessor(
  config: ProcessorConfig,
  { log, stack }: { readonly log: Logger; readonly stack: ResourceStack },
): Promise<void> {
  const { site, role, owner, database: url } = config;
  const applicationName = `dualhome processor ${owner}`;
  const sealer = new Sealer(await readKeyFile(config.sealingKeyFile));
  const nonceKey = await readKeyFile(config.nonceKeyFile);
  const clock = systemClock;
  const metrics = createProcessorMetrics(site, role, owner);
  const authenticator = new Authenticator({ nonceKeys: [Buffer.from(nonceKey.reveal())], clock });
  const tidying = setInterval(() => authenticator.expire(), tidyMs);
  stack.defer('tidying', () => clearInterval(tidying));

  const onError = (error: unknown): void => log.debug({ err: error }, 'a database connection was lost');
  const database = stack.use(
    'database',
    openDatabase({ url, applicationName, settings: steadyPlans, statementTimeoutMs, onError }),
  );
  const configuration = stack.use(
    'configuration',
    new Configuration({ owner, database, url, applicationName, sealer, clock, log }),
  );
  const state = () =>
    stateOf({
      role,
      position: configuration.head,
      proven: configuration.head?.proven ?? false,
      silentMs: configuration.silentMs,
    });
  const { onDecision, registry } = metrics;
  const answers = new Answers({ owner, role, configuration, authenticator, state, log, onDecision });
  const answer = (facts: Facts) => answers.to(facts);
  const server = stack.use(
    'dispatch server',
    await DispatchServer.open({ path: config.socket, owner, role, answer, state, log }),
  );
  metrics.observe('serving', () => Number(state().serving));
  metrics.observe('fronts', () => server.fronts);
  metrics.observe('subscribers_cached', () => configuration.subscribers.size);
  const health = () => {
    const { serving, reason, configuration: position } = state();
    return {
      healthy: serving,
      role,
      owner,
      reason,
      configuration: position,
      databaseSilentMs: configuration.silentMs,
      fronts: server.fronts,
    };
  };
  stack.use('diagnostics', await startDiagnosticsServer({ ...config.diagnostics, registry, health }));
  configuration.start(() => server.announce());
}
