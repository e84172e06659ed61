import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DualhomeError } from '../protocol/errors/index.ts';
import { ownSchema } from '../protocol/names.ts';
import type { LogName } from '../protocol/names.ts';
import type { Position } from '../protocol/position.ts';
import type { SynchronizerConfig } from '../protocol/program-config.ts';
import { configurationLog, registrationLog } from '../log/definition.ts';
import { systemClock } from '../platform/lifecycle/clock.ts';
import type { ResourceStack } from '../platform/lifecycle/resource-stack.ts';
import type { Logger } from '../platform/logging/logger.ts';
import { createRegistry } from '../platform/metrics/registry.ts';
import { openDatabase } from '../platform/postgres/database.ts';
import { CertificateStore } from '../platform/tls/certificate-store.ts';
import { SharedAlarms } from './alarms/alarms.ts';
import { authenticate } from './link/authenticate.ts';
import type { TrustedPeer } from './link/authenticate.ts';
import { Connection } from './link/connection.ts';
import { dial } from './link/dial.ts';
import { HandlerTable } from './link/handler-table.ts';
import { LinkListener } from './link/listener.ts';
import { OncePerCause } from './link/once-per-cause.ts';
import { PeerSite } from './peer-site.ts';
import type { SynchronizerContext } from './ports.ts';
import { Reservations } from './retention/reservations.ts';
import { OwnLog } from './send/own-log.ts';
import { StatusBoard } from './status/board.ts';

const applicationName = 'dualhome synchronizer';

export type Synchronizer = {
  readonly context: SynchronizerContext;
  readonly status: StatusBoard;
  /** Begins to listen, dial, send and apply, once whoever builds on the context has registered its handlers. */
  readonly start: () => Promise<void>;
};

/** Builds all parts onto `stack`, which ends them in reverse order. @throws TLS_*, FILES_* */
export async function createSynchronizer(
  config: SynchronizerConfig,
  { log, stack }: { readonly log: Logger; readonly stack: ResourceStack },
): Promise<Synchronizer> {
  const onError = (error: unknown): void => log.debug({ err: error }, 'a database connection was lost');
  const directory = join(config.dataDir, 'link');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const certificates = stack.use('certificates', await openCertificates(config, log));
  const shared = stack.use(
    'shared database',
    openDatabase({ url: config.databases.shared, applicationName, onError }),
  );
  const alarms = stack.use('alarms', new SharedAlarms(shared, log));
  const handlers = new HandlerTable(log);
  const peers = new Map<string, PeerSite>();
  const logs = new Map(
    ownLogs(config, log, peers).map((own) => [
      own.definition.name,
      stack.use(`${own.definition.name} log`, own),
    ]),
  );
  const trusted = (): readonly TrustedPeer[] =>
    config.peers.flatMap(({ name }, i) => {
      const authority = certificates.current.authorities[i];
      return authority ? [{ name, authority }] : [];
    });
  const software = softwareVersion();
  for (const peer of config.peers) {
    const dialPeer = async (signal: AbortSignal): Promise<Connection> => {
      const to = trusted().find(({ name }) => name === peer.name);
      if (!to) throw new Error(`no authority of ${peer.name}`);
      return new Connection(await dial(peer.link, to, certificates.current.context, signal));
    };
    const options = {
      site: config.site,
      config: peer,
      sharedUrl: config.databases.shared,
      directory,
      software,
      logs,
      alarms,
      handlers,
    };
    peers.set(
      peer.name,
      stack.use(`peer ${peer.name}`, new PeerSite({ ...options, clock: systemClock, log, dial: dialPeer })),
    );
  }
  const registry = createRegistry({ site: config.site });
  const status = stack.use(
    'status',
    new StatusBoard({
      config,
      software,
      shared,
      logs: [...logs.values()],
      peers: [...peers.values()],
      clock: systemClock,
      registry,
    }),
  );
  return {
    context: {
      config,
      log,
      registry,
      logs,
      shared,
      peers,
      handlers,
      alarms,
      reservations: new Reservations(systemClock),
      clock: systemClock,
      certificates,
      authenticate: (certificate) => peerOf(certificate, trusted()),
    },
    status,
    start: async () => {
      stack.use('link listener', await listenToPeers(config, { certificates, trusted, peers, log }));
      for (const peer of peers.values()) await peer.start();
      status.start();
    },
  };
}

function openCertificates(config: SynchronizerConfig, log: Logger): Promise<CertificateStore> {
  return CertificateStore.open({
    keyFile: config.certificate.keyFile,
    certificateFile: config.certificate.certFile,
    authorityFiles: config.peers.map(({ caFile }) => caFile),
    onProblem: (error) => log.warn({ err: error }, 'changed certificate files cannot be used'),
  });
}

/** The logs of this site. */
function ownLogs(
  { databases }: SynchronizerConfig,
  log: Logger,
  peers: ReadonlyMap<string, PeerSite>,
): readonly OwnLog[] {
  const options = (name: LogName) => ({
    log,
    onRewound: (was: Position, is: Position): void => {
      log.error(
        { log: name, was: was.seq, is: is.seq },
        'a log of this site has gone back; peers resume anew',
      );
      for (const { link } of peers.values()) link.reset('a log of the site has gone back');
    },
  });
  return [
    new OwnLog({ ...options('configuration'), definition: configurationLog, url: databases.home }),
    new OwnLog({
      ...options('registration'),
      definition: registrationLog,
      url: databases.shared,
      schema: ownSchema,
    }),
  ];
}

type Listening = {
  readonly certificates: CertificateStore;
  readonly trusted: () => readonly TrustedPeer[];
  readonly peers: ReadonlyMap<string, PeerSite>;
  readonly log: Logger;
};

function listenToPeers(
  config: SynchronizerConfig,
  { certificates, trusted, peers, log }: Listening,
): Promise<LinkListener> {
  const causes = new OncePerCause();
  const onRefused = (error: DualhomeError): void => {
    const claimed = peers.get(String(error.facts['claimed']));
    if (claimed) claimed.link.refused(error);
    else if (causes.isNew(error))
      log.warn({ code: error.code, detail: error.detail }, 'a connection was refused');
  };
  return LinkListener.open({
    address: config.link,
    certificates,
    peers: trusted,
    onConnection: (peer, connection) => peers.get(peer)?.link.accept(connection),
    onRefused,
  });
}

function peerOf(certificate: X509Certificate, trusted: readonly TrustedPeer[]): string | undefined {
  try {
    return authenticate({ certificate, objection: undefined }, trusted, Date.now());
  } catch {
    return undefined;
  }
}

function softwareVersion(): string {
  const path = join(import.meta.dirname, '../../package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}
