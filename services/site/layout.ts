import { join } from 'node:path';
import { socketPath } from './sockets.ts';

/** Where the files of a site are, below its data_dir. */
export function siteLayout(dataDir: string) {
  const at = (directory: string) => (name: string) => join(dataDir, directory, name);
  const [secret, certificate, spool, run] = ['secrets', 'certificates', 'spool', 'run'].map(at) as [
    Place,
    Place,
    Place,
    Place,
  ];
  return {
    dataDir,
    /** Readable by their owner only. */
    secrets: {
      authorityKey: secret('ca.key'),
      certificateKey: secret('site.key'),
      signingKey: secret('signing.key'),
      sealingKey: secret('sealing.key'),
      /** From it come the passwords of all database roles. */
      databaseKey: secret('databases.key'),
      /** Derived from the others when programs are told of them. */
      nonceKey: secret('nonce.key'),
      sipTokenKey: secret('sip-token.key'),
      peerSipTokenKey: (peer: string) => secret(`peer-${peer}-sip-token.key`),
      token: (role: string) => secret(`${role}.token`),
      peerSealingKey: (peer: string) => secret(`peer-${peer}-sealing.key`),
    },
    certificates: {
      authority: certificate('ca.pem'),
      own: certificate('site.pem'),
      signingPublicKey: certificate('signing.pub.pem'),
      peerAuthority: (peer: string) => certificate(`peer-${peer}-ca.pem`),
      peerSigningPublicKey: (peer: string) => certificate(`peer-${peer}-signing.pub.pem`),
    },
    /** What each program is told; holds passwords of database roles. */
    programConfig: (program: string) => at('programs')(`${program}.json`),
    programLog: (program: string) => at('logs')(`${program}.log`),
    /** Which process runs a program, so that the next supervisor finds one that was left behind. */
    programPid: (program: string) => run(`${program}.json`),
    /** Where a processor listens for fronts. */
    socket: (program: string) => socketPath(join(dataDir, 'run'), program),
    /** What the supervisor says of itself and of what it watches. */
    state: run('site.json'),
    /** Loopback ports given out so far. */
    ports: join(dataDir, 'ports.json'),
    postgres: at('postgres'),
    /** The last position of the log, outside the database that could be emptied. */
    witness: at('witness')('configuration.json'),
    registrationWitness: at('witness')('registration.json'),
    callRecords: join(dataDir, 'calls'),
    spool: { outgoing: spool('outgoing'), incoming: spool('incoming') },
  } as const;
}

type Place = (name: string) => string;

export type SiteLayout = ReturnType<typeof siteLayout>;

/** Directories of a site that dualhome makes, with their modes. */
export const siteDirectories = {
  secrets: 0o700,
  certificates: 0o755,
  programs: 0o700,
  logs: 0o700,
  run: 0o755,
  postgres: 0o711,
  witness: 0o700,
  calls: 0o700,
  'spool/outgoing': 0o700,
  'spool/incoming': 0o700,
} as const;
