import type { FrontConfig } from '../../protocol/program-config.ts';
import { watchAlarms } from '../../log/watch-alarms.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import { systemClock } from '../../platform/lifecycle/clock.ts';
import type { ResourceStack } from '../../platform/lifecycle/resource-stack.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { Database } from '../../platform/postgres/database.ts';
import { listen } from '../../platform/postgres/listen.ts';
import type { FrontMetrics } from '../metrics.ts';
import { Distribution } from './distribution.ts';
import { Links } from './links.ts';
import { OwnFlows } from './own-flows.ts';
import { PeerFollower } from './peer-follower.ts';
import { RegistrationLog } from './registration-log.ts';

export type DistributionParts = {
  readonly distribution: Distribution;
  readonly registrations: RegistrationLog;
  readonly links: Links;
  /** What has been read of each peer's registrations, as a registration says what it was made in knowledge of. */
  readonly seen: () => readonly string[];
  readonly own: OwnFlows;
};

export type OpenDistributionOptions = {
  readonly config: FrontConfig;
  readonly applicationName: string;
  readonly shared: Database;
  readonly metrics: FrontMetrics;
  readonly log: Logger;
  readonly stack: ResourceStack;
  readonly signal: AbortSignal;
};

/** NOTIFYed by the synchronizer when it has applied a peer's registrations. */
const peerChannel = 'dualhome_peer_flows';

/** The distribution, filled from `shared`, and what keeps it current; waits until `shared` answers. */
export async function openDistribution(options: OpenDistributionOptions): Promise<DistributionParts> {
  const { config, applicationName, shared, log, stack, signal } = options;
  const url = config.databases.shared;
  const peers = config.peers.map(({ name }) => name);
  const distribution = new Distribution(config.site, peers);
  const registrations = stack.use('registration log', newRegistrationLog(options, distribution));
  const followers = peers.map((peer) =>
    stack.use(`flows of ${peer}`, new PeerFollower({ peer, shared, distribution, log })),
  );
  const own = new OwnFlows({ site: config.site, shared, distribution, registrations });
  await untilDone(signal, log, async () => {
    await own.check();
    await own.load();
    for (const follower of followers) await follower.load();
  });
  for (const follower of followers) follower.start();
  const onError = (err: unknown): void => log.warn({ err }, 'alarms cannot be read');
  const check = (): Promise<void> => own.check();
  stack.use('alarm watch', watchAlarms({ url, applicationName, check, onError }));
  const onNotify = (): void => {
    for (const follower of followers) follower.hint();
  };
  stack.use(
    'peer watch',
    listen({ url, applicationName, channels: [peerChannel], onNotify, onListening: onNotify }),
  );
  const links = stack.use('links', new Links(config.synchronizer, peers, systemClock));
  return {
    distribution,
    registrations,
    links,
    own,
    seen: () => followers.flatMap(({ position }) => position ?? []),
  };
}

function newRegistrationLog(
  { config, applicationName, shared, metrics, log }: OpenDistributionOptions,
  distribution: Distribution,
): RegistrationLog {
  return new RegistrationLog({
    site: config.site,
    url: config.databases.shared,
    applicationName,
    witnessFile: config.witnessFile,
    shared,
    distribution,
    clock: systemClock,
    onGroup: (facts) => metrics.onGroup(facts),
    onTrouble: (err) => log.warn({ err }, 'database trouble'),
    onState: (state) => {
      if (state.open) log.info({ seq: state.head.seq }, 'the registration log is open');
      else
        log.warn({ code: state.reason.code, detail: state.reason.detail }, 'the registration log is closed');
    },
  });
}

/** Tries until it is done; while `shared` is away nothing can be served. */
async function untilDone(signal: AbortSignal, log: Logger, work: () => Promise<void>): Promise<void> {
  const state = new RunningState({ parent: signal });
  for (;;) {
    try {
      return await work();
    } catch (err) {
      if (state.failures === 0) log.warn({ err }, 'waiting for the shared database');
      await state.backoff();
      signal.throwIfAborted();
    }
  }
}
