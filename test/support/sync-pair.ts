import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Row } from '../../services/model/table.ts';
import { kinds } from '../../services/model/kinds.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import { generateSigningKey, Signer } from '../../services/platform/crypto/signing.ts';
import type { Session } from '../../services/platform/postgres/database.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import { createAuthority, issueCertificate } from '../../services/platform/tls/certificates.ts';
import type { Identity } from '../../services/platform/tls/certificates.ts';
import { writeIdentity } from '../../services/platform/tls/identity-files.ts';
import type { Position } from '../../services/protocol/position.ts';
import type { Address, SynchronizerConfig } from '../../services/protocol/program-config.ts';
import { hasEnded } from '../../services/protocol/rest/jobs.ts';
import type { Job, JobKind } from '../../services/protocol/rest/jobs.ts';
import { wholeScope } from '../../services/protocol/scope.ts';
import { siteUri } from '../../services/protocol/site-uri.ts';
import { statusSchema } from '../../services/protocol/status.ts';
import type { Direction, Status } from '../../services/protocol/status.ts';
import { JobStore } from '../../services/synchronizer/store/job-store.ts';
import { registrationLog } from '../../services/log/definition.ts';
import { flow } from '../../services/model/flow.ts';
import { LogName, ownSchema } from '../../services/protocol/names.ts';
import { aFlow, aSubscriber } from './builders.ts';
import { ChildProgram } from './child-program.ts';
import { appendEvents } from './log.ts';
import { testDatabase } from './postgres.ts';
import type { TestDatabase } from './postgres.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { freePort } from './free-port.ts';

const main = join(import.meta.dirname, '../../services/synchronizer/main.ts');
/** Where sites listen, and where networks around them do. */
const ipAddresses = ['127.0.0.1', '127.0.0.2'];
const pollMs = 15;
const waitMs = 30_000;

type SiteName = 'c1' | 'c2';
const peerOf = (name: SiteName): SiteName => (name === 'c1' ? 'c2' : 'c1');

/** One site of a pair, as its synchronizer sees it: three databases, keys, and the program when it runs. */
export class SyncSite {
  readonly name: SiteName;
  readonly home: TestDatabase;
  readonly shared: TestDatabase;
  /** The copy of the peer. */
  readonly standby: TestDatabase;
  readonly directory: string;
  readonly authority: Identity;
  config!: SynchronizerConfig;
  #program: ChildProgram | undefined;

  constructor(name: SiteName, databases: readonly TestDatabase[], directory: string, authority: Identity) {
    const [home, shared, standby] = databases;
    if (!home || !shared || !standby) throw new Error('three databases are needed');
    this.name = name;
    this.home = home;
    this.shared = shared;
    this.standby = standby;
    this.directory = directory;
    this.authority = authority;
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  get program(): ChildProgram {
    if (!this.#program) throw new Error(`${this.name} does not run`);
    return this.#program;
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const file = this.file('synchronizer.json');
    await writeFile(file, JSON.stringify(this.config));
    this.#program = new ChildProgram(main, { args: ['--config', file], env });
    await this.program.saw('"msg":"serving"');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#program?.kill(signal);
    await this.#program?.exit();
  }

  /** A new certificate for `site`, by this site's authority unless another is named. */
  async issue(site: string = this.name, authority: Identity = this.authority): Promise<void> {
    const files = {
      keyFile: this.config.certificate.keyFile,
      certificateFile: this.config.certificate.certFile,
    };
    await writeIdentity(
      files,
      await issueCertificate(authority, { name: site, uris: [siteUri(site)], ipAddresses, days: 10 }),
    );
  }

  async status(): Promise<Status> {
    const { host, port } = this.config.diagnostics;
    const response = await fetch(`http://${host}:${port}/status`);
    return statusSchema.parse(await response.json());
  }

  /** The first status for which `holds`; fails with the last one. */
  async statusWhen(what: string, holds: (status: Status) => boolean): Promise<Status> {
    const deadlineMs = performance.now() + waitMs;
    for (;;) {
      const status = await this.status();
      if (holds(status)) return status;
      if (performance.now() > deadlineMs) {
        throw new Error(
          `${this.name}: not "${what}": ${JSON.stringify(status, undefined, 1)}\n${this.program.output}`,
        );
      }
      await sleep(pollMs);
    }
  }

  linkIs(state: 'up' | 'down' | 'dialling'): Promise<Status> {
    return this.statusWhen(`link ${state}`, ({ peers }) => peers[0]?.link.state === state);
  }

  /** The direction in which this site's own log goes. */
  async sending(): Promise<Direction> {
    return directionFrom(await this.status(), this.name);
  }

  /** The direction in which the peer's log comes. */
  async receiving(): Promise<Direction> {
    return directionFrom(await this.status(), peerOf(this.name));
  }

  /** Resolves when the copy here has applied the peer's log up to `seq`. */
  async applied(seq: number, log: LogName = LogName.configuration): Promise<void> {
    await this.statusWhen(
      `applied ${seq}`,
      (status) => (directionFrom(status, peerOf(this.name), log).applied ?? -1) >= seq,
    );
  }

  /** Resolves when the lane here is parked under `code`. */
  async parked(code: string): Promise<Direction> {
    const isParked = ({ lane, trouble }: Direction): boolean => lane === 'parked' && trouble?.code === code;
    const status = await this.statusWhen(`parked ${code}`, (s) =>
      isParked(directionFrom(s, peerOf(this.name))),
    );
    return directionFrom(status, peerOf(this.name));
  }

  /** Changes `count` subscribers in the home database, one event each, `perCommit` of them a transaction. */
  async append(
    count: number,
    { first = 1, perCommit = 100, fieldsOf = (_n: number): Partial<Row> => ({}) } = {},
  ): Promise<Position> {
    await using session = await openPipeline({ url: this.home.url, applicationName: 'test' });
    let position: Position | undefined;
    for (let done = 0; done < count; done += perCommit) {
      const numbers = Array.from({ length: Math.min(perCommit, count - done) }, (_, i) => first + done + i);
      const events = numbers.map((n) => {
        const row = aSubscriber(n, fieldsOf(n));
        return { kind: subscriber, changes: [{ key: String(row['aor']), before: null, after: row }] };
      });
      position = await appendEvents(session, events, { site: this.name });
      await session.query(`select pg_notify('dualhome_log', '${position.seq}')`);
    }
    if (!position) throw new Error('nothing was appended');
    return position;
  }

  /** Registers the phones of `count` subscribers at this site, `perCommit` of them a transaction. */
  async register(count: number, { first = 1, perCommit = 100, fields = {} } = {}): Promise<Position> {
    const options = { url: this.shared.url, schema: ownSchema, applicationName: 'test' };
    await using session = await openPipeline(options);
    let position: Position | undefined;
    for (let done = 0; done < count; done += perCommit) {
      const numbers = Array.from({ length: Math.min(perCommit, count - done) }, (_, i) => first + done + i);
      const events = numbers.map((n) => {
        const row = aFlow(n, fields);
        return { kind: flow, changes: [{ key: String(row['key']), before: null, after: row }] };
      });
      position = await appendEvents(session, events, { log: registrationLog, site: this.name });
      await session.query(`select pg_notify('dualhome_registrations', '${position.seq}')`);
    }
    if (!position) throw new Error('nothing was appended');
    return position;
  }

  /** Asks this site for a job with its peer, of everything. */
  async request(kind: JobKind, log: LogName = LogName.configuration): Promise<string> {
    const id = randomUUID();
    const request = { kind, peer: peerOf(this.name), log, scope: wholeScope, reason: '' };
    await new JobStore(this.shared.database).insert(id, request, 'test');
    return id;
  }

  async job(id: string): Promise<Job> {
    const job = await new JobStore(this.shared.database).read<Job>(id);
    if (!job) throw new Error(`${this.name} has no job ${id}`);
    return job;
  }

  async cancel(id: string): Promise<void> {
    await new JobStore(this.shared.database).requestCancel(id);
  }

  /** The job when it has ended. */
  async ended(id: string): Promise<Job> {
    const deadlineMs = performance.now() + 2 * waitMs;
    for (;;) {
      const job = await this.job(id);
      if (hasEnded(job.state)) return job;
      if (performance.now() > deadlineMs) throw new Error(`${JSON.stringify(job)}\n${this.program.output}`);
      await sleep(pollMs);
    }
  }

  async openAlarms(): Promise<readonly string[]> {
    const { rows } = await this.shared.database.query<{ alarm: string }>(
      `select code || ' ' || subject as alarm from site.alarms where cleared_at is null order by 1`,
    );
    return rows.map(({ alarm }) => alarm);
  }

  /** Resolves when exactly these alarms, `CODE subject`, are open. */
  async alarmsAre(...expected: readonly string[]): Promise<void> {
    await expect
      .poll(() => this.openAlarms(), { timeout: waitMs, interval: pollMs })
      .toEqual([...expected].sort());
  }
}

export function directionFrom(
  { peers }: Status,
  from: string,
  log: LogName = LogName.configuration,
): Direction {
  const direction = peers
    .flatMap(({ directions }) => directions)
    .find((each) => each.from === from && each.log === log);
  if (!direction) throw new Error(`no direction from ${from}`);
  return direction;
}

export type SyncPairOptions = { readonly databases?: (schema: 'config' | 'shared') => Promise<TestDatabase> };

/** Two synchronizers, c1 dialling c2 through a proxy, on databases of their own. */
export class SyncPair implements AsyncDisposable {
  readonly c1: SyncSite;
  readonly c2: SyncSite;
  readonly network: TcpProxy;
  readonly #stack: AsyncDisposableStack;

  private constructor(c1: SyncSite, c2: SyncSite, network: TcpProxy, stack: AsyncDisposableStack) {
    this.c1 = c1;
    this.c2 = c2;
    this.network = network;
    this.#stack = stack;
  }

  /** Made, not started. */
  static async create({ databases = testDatabase }: SyncPairOptions = {}): Promise<SyncPair> {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await TemporaryDirectory.create());
    const make = async (name: SiteName): Promise<SyncSite> => {
      const three = [await databases('config'), await databases('shared'), await databases('config')];
      for (const database of three) stack.use(database);
      const authority = await createAuthority({ name, days: 10 });
      const site = new SyncSite(name, three, join(path, name), authority);
      stack.defer(() => site.stop('SIGKILL'));
      return site;
    };
    const c1 = await make('c1');
    const c2 = await make('c2');
    const ports = await Promise.all(Array.from({ length: 8 }, () => freePort()));
    const at = (i: number): Address => ({ host: '127.0.0.1', port: ports[i] ?? 0 });
    const network = stack.use(await TcpProxy.listen({ target: at(4) }));
    await configure(c1, c2, { link: at(0), diagnostics: at(1), ftp: at(2), peer: network.address });
    await configure(c2, c1, { link: at(4), diagnostics: at(5), ftp: at(6), peer: at(0) });
    await writeIdentities(c1, c2);
    return new SyncPair(c1, c2, network, stack.move());
  }

  /** Made, and both run with the link up. */
  static async start(options: SyncPairOptions = {}): Promise<SyncPair> {
    const pair = await SyncPair.create(options);
    try {
      await Promise.all([pair.c1.start(), pair.c2.start()]);
      await Promise.all([pair.c1.linkIs('up'), pair.c2.linkIs('up')]);
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
    return pair;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

type Addresses = Readonly<Record<'link' | 'diagnostics' | 'ftp' | 'peer', Address>>;

async function configure(
  site: SyncSite,
  peer: SyncSite,
  { link, diagnostics, ftp, peer: dialled }: Addresses,
): Promise<void> {
  site.config = {
    site: site.name,
    dataDir: site.directory,
    diagnostics,
    logLevel: 'debug',
    databases: { home: site.home.url, shared: site.shared.url },
    link,
    ftp: {
      listen: ftp,
      publicHost: '127.0.0.1',
      passivePorts: { min: 40_000, max: 40_010 },
      security: 'implicit',
    },
    certificate: {
      keyFile: site.file('key.pem'),
      certFile: site.file('cert.pem'),
      caFile: site.file('ca.pem'),
    },
    signingKeyFile: site.file('signing.key'),
    peers: [
      {
        name: peer.name,
        link: dialled,
        dials: site.name < peer.name,
        caFile: site.file('peer-ca.pem'),
        signingPublicKeyFile: site.file('peer-signing.pub'),
        standby: site.standby.url,
        receives: true,
        sends: true,
      },
    ],
    spool: { outgoing: site.file('outgoing'), incoming: site.file('incoming') },
    retention: { bytesMax: 1_000_000_000, ageMaxMs: null, auditMs: null },
    schedules: [],
  };
}

async function writeIdentities(c1: SyncSite, c2: SyncSite): Promise<void> {
  for (const [site, peer] of [
    [c1, c2],
    [c2, c1],
  ] as const) {
    await mkdir(site.directory, { recursive: true });
    const signingKey = generateSigningKey();
    await writeFile(site.file('ca.pem'), site.authority.certificatePem);
    await writeFile(site.file('peer-ca.pem'), peer.authority.certificatePem);
    await writeFile(site.file('signing.key'), signingKey.reveal());
    await mkdir(peer.directory, { recursive: true });
    await writeFile(peer.file('peer-signing.pub'), new Signer(signingKey).publicKeyPem);
    await site.issue();
  }
}

/** Fails unless the standby is the home database, row for row and event for event. */
export async function expectSame(home: TestDatabase, standby: TestDatabase): Promise<void> {
  expect(await contentOf(standby)).toEqual(await contentOf(home));
}

async function contentOf({ database }: TestDatabase): Promise<Readonly<Record<string, string>>> {
  await using session: Session = await database.session();
  const tables = [...kinds.map(({ table }) => table.name), 'incarnations', 'log', 'log_head'];
  const content: Record<string, string> = {};
  for (const table of tables) {
    const { rows } = await session.query<{ content: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(r::text, ',' order by r::text collate "C")), '') as content
       from ${table} as r`,
    );
    content[table] = rows[0]?.content ?? '';
  }
  return content;
}
