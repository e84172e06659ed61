import { readFile } from 'node:fs/promises';
import {
  apiConfigSchema,
  frontConfigSchema,
  processorConfigSchema,
  synchronizerConfigSchema,
} from '../protocol/program-config.ts';
import type { Address } from '../protocol/program-config.ts';
import { fileModes } from '../platform/files/write-atomic.ts';
import { writeJsonFile } from '../platform/files/json.ts';
import type { Secret } from '../platform/logging/secret.ts';
import { besideConfig } from './config/read.ts';
import type { SiteFile } from './config/read.ts';
import type { NamedFtpServer, SitePeer } from './config/schema.ts';
import { advertisedAddress } from './config/sip.ts';
import type { DatabaseProgram } from './databases/grants.ts';
import { plannedDatabases, roleName, standbyName } from './databases/plan.ts';
import { programUrlOf } from './databases/run.ts';
import type { SiteLayout } from './layout.ts';
import type { LoopbackPorts } from './ports.ts';
import { homeProcessor, plannedPrograms, standbyProcessor } from './programs.ts';
import type { PlannedProgram } from './programs.ts';
import { readTokenHashes, writeDerivedKeys } from './secrets.ts';

const bytesPerMb = 1_000_000;

export type ProgramConfigContext = {
  readonly file: SiteFile;
  readonly layout: SiteLayout;
  readonly ports: LoopbackPorts;
  readonly passwordOf: (role: string) => Secret;
};

/** Users of loopback ports: the embedded databases, and each program's diagnostics. */
export function portUsers({ config }: SiteFile): readonly string[] {
  const databases = plannedDatabases(config).filter(({ url }) => url === undefined);
  const programs = plannedPrograms(config).map(({ name }) => name);
  return [...databases.map(({ name }) => `postgres.${name}`), ...programs];
}

/** Writes what each program is told; returns the names of the programs whose configuration changed by it. */
export async function writeProgramConfigs(context: ProgramConfigContext): Promise<ReadonlySet<string>> {
  const { layout, file } = context;
  await writeDerivedKeys(layout, file.config);
  const changed = new Set<string>();
  for (const program of plannedPrograms(file.config)) {
    const path = layout.programConfig(program.name);
    const content = await contentOf(program, context);
    const before = await readFile(path, 'utf8').catch(() => '{}');
    if (JSON.stringify(JSON.parse(before)) === JSON.stringify(content)) continue;
    await writeJsonFile(path, content, { mode: fileModes.private });
    changed.add(program.name);
  }
  return changed;
}

async function contentOf(program: PlannedProgram, context: ProgramConfigContext): Promise<unknown> {
  switch (program.program) {
    case 'synchronizer':
      return synchronizerConfig(context);
    case 'processor':
      return processorConfig(program, context);
    case 'front':
      return frontConfig(context);
    case 'api':
      return apiConfig(context);
  }
}

async function apiConfig(context: ProgramConfigContext): Promise<unknown> {
  const { file, layout, ports } = context;
  const { config } = file;
  return apiConfigSchema.parse({
    ...common('api', context),
    databases: databaseUrls('api', context),
    listen: config.api.listen,
    tls: config.api.tls ? certificateOf(layout) : null,
    tokens: await readTokenHashes(layout),
    sealingKeyFile: layout.secrets.sealingKey,
    witnessFile: layout.witness,
    synchronizer: loopback(ports['synchronizer']),
    front: loopback(ports['front']),
    peers: config.peers.map(({ name }) => name),
  });
}

function synchronizerConfig(context: ProgramConfigContext): unknown {
  const { file, layout } = context;
  const { link, ftp, public_host, peers, schedules, log_retention } = file.config;
  return synchronizerConfigSchema.parse({
    ...common('synchronizer', context),
    databases: databaseUrls('synchronizer', context),
    link: link.listen,
    ftp: {
      listen: ftp.listen,
      publicHost: public_host,
      passivePorts: ftp.passive_ports,
      security: ftp.security,
      server: ftp.server && ftpServer(ftp.server, file),
    },
    certificate: certificateOf(layout),
    signingKeyFile: layout.secrets.signingKey,
    peers: peers.map((peer) => peerConfig(peer, context)),
    spool: layout.spool,
    retention: {
      bytesMax: log_retention.size_mb_max * bytesPerMb,
      ageMaxMs: log_retention.age_max,
      auditMs: log_retention.audit,
    },
    schedules: schedules.verification === null ? [] : [{ job: 'verify', everyMs: schedules.verification }],
  });
}

function ftpServer(
  { address, security, user, password_file, directory, ca_file }: NamedFtpServer,
  file: SiteFile,
): unknown {
  const passwordFile = besideConfig(file, password_file);
  return { address, security, user, passwordFile, directory, caFile: ca_file && besideConfig(file, ca_file) };
}

function peerConfig(
  { name, link, dials, sends, receives }: SitePeer,
  context: ProgramConfigContext,
): unknown {
  const { file, layout } = context;
  return {
    name,
    link,
    dials: dials ?? file.config.site < name,
    caFile: layout.certificates.peerAuthority(name),
    signingPublicKeyFile: layout.certificates.peerSigningPublicKey(name),
    standby: receives ? urlOf('synchronizer', standbyName(name), context) : undefined,
    sends,
    receives,
  };
}

function processorConfig({ name, peer }: PlannedProgram, context: ProgramConfigContext): unknown {
  const { file, layout } = context;
  const { secrets } = layout;
  return processorConfigSchema.parse({
    ...common(name, context),
    role: peer === undefined ? 'home' : 'standby',
    owner: peer ?? file.config.site,
    database:
      peer === undefined
        ? urlOf('homeProcessor', 'home', context)
        : urlOf('standbyProcessor', standbyName(peer), context, peer),
    socket: layout.socket(name),
    sealingKeyFile: peer === undefined ? secrets.sealingKey : secrets.peerSealingKey(peer),
    nonceKeyFile: secrets.nonceKey,
  });
}

function frontConfig(context: ProgramConfigContext): unknown {
  const { file, layout, ports } = context;
  const { config } = file;
  const { site, sip = {}, peers } = config;
  const transports = ['udp', 'tcp', 'tls'] as const;
  const standbys = peers.filter(({ receives }) => receives);
  return frontConfigSchema.parse({
    ...common('front', context),
    databases: databaseUrls('front', context),
    witnessFile: layout.registrationWitness,
    listeners: transports.flatMap((transport) => {
      const listener = sip[transport];
      if (!listener) return [];
      return [{ transport, listen: listener.listen, advertised: advertisedAddress(listener, config) }];
    }),
    certificate: certificateOf(layout),
    tokenKeyFile: layout.secrets.sipTokenKey,
    processors: [
      { owner: site, role: 'home', socket: layout.socket(homeProcessor) },
      ...standbys.map(({ name }) => ({
        owner: name,
        role: 'standby',
        socket: layout.socket(standbyProcessor(name)),
      })),
    ],
    peers: peers.map((peer) => ({
      name: peer.name,
      sip: peer.sip ?? null,
      caFile: layout.certificates.peerAuthority(peer.name),
      tokenKeyFile: layout.secrets.peerSipTokenKey(peer.name),
    })),
    synchronizer: loopback(ports['synchronizer']),
    callRecords: layout.callRecords,
  });
}

function common(program: string, { file, layout, ports }: ProgramConfigContext) {
  return {
    site: file.config.site,
    dataDir: layout.dataDir,
    diagnostics: loopback(ports[program]),
    logLevel: file.config.log_level,
  };
}

function databaseUrls(program: DatabaseProgram, context: ProgramConfigContext) {
  return { home: urlOf(program, 'home', context), shared: urlOf(program, 'shared', context) };
}

function urlOf(program: DatabaseProgram, name: string, context: ProgramConfigContext, peer?: string): string {
  const { file, ports, passwordOf } = context;
  const database = plannedDatabases(file.config).find((planned) => planned.name === name);
  if (!database) throw new Error(`no database ${name} is planned`);
  const role = roleName(file.config.site, program, peer);
  return programUrlOf(database, ports[`postgres.${name}`] ?? 0, role, passwordOf(role));
}

function certificateOf({ secrets, certificates }: SiteLayout) {
  return { keyFile: secrets.certificateKey, certFile: certificates.own, caFile: certificates.authority };
}

function loopback(port: number | undefined): Address {
  return { host: '127.0.0.1', port: port ?? 0 };
}
