import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readHead } from '../../services/log/head.ts';
import { domain } from '../../services/model/domain.ts';
import { keyOf } from '../../services/model/kind.ts';
import type { Kind } from '../../services/model/kind.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import type { Row } from '../../services/model/table.ts';
import type { Address } from '../../services/protocol/program-config.ts';
import { importLineSchema } from '../../services/protocol/rest/import.ts';
import { changeDoneSchema } from '../../services/protocol/rest/changes.ts';
import type { ChangeDone } from '../../services/protocol/rest/changes.ts';
import type { Position } from '../../services/protocol/position.ts';
import { HttpClient } from '../../services/platform/http/client.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import { signalProcess, startTicks } from '../../services/platform/embedded-postgres/process.ts';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import type { Database } from '../../services/platform/postgres/database.ts';
import { readSiteFile } from '../../services/site/config/read.ts';
import type { SiteFile } from '../../services/site/config/read.ts';
import { formatAddress } from '../../services/site/config/values.ts';
import { locateDatabase } from '../../services/site/databases/locate.ts';
import { plannedDatabases, standbyName } from '../../services/site/databases/plan.ts';
import { initSite } from '../../services/site/init.ts';
import { siteLayout } from '../../services/site/layout.ts';
import type { SiteLayout } from '../../services/site/layout.ts';
import { takePortBlock } from '../../services/site/port-block.ts';
import { plannedPrograms } from '../../services/site/programs.ts';
import { openPasswords, readSecret, writeSecret } from '../../services/site/secrets.ts';
import { readSiteState } from '../../services/site/supervisor/state-file.ts';
import type { SiteState } from '../../services/site/supervisor/state-file.ts';
import { aDomain, aUser } from './builders.ts';
import { copyCluster } from './cluster-template.ts';

type UnitStatus = SiteState['units'][number];

const waitMs = 60_000;
const pollMs = 20;
const logTailLines = 15;

/** The same at every test site, so that one cluster can be copied to all of them. */
const databaseKey = '00'.repeat(32);

/**
 * One site of a test: its supervisor, programs and databases are real processes on ports of their own. Its disposal
 * stops it in order, and throws when a process is left.
 */
export class TestSite implements AsyncDisposable {
  readonly name: string;
  readonly path: string;
  readonly layout: SiteLayout;
  readonly #stack: AsyncDisposableStack;
  readonly #databases = new Map<string, Database>();
  #supervisor: ChildProcess | undefined;
  #output = '';
  #wasStarted = false;

  private constructor(name: string, { path, dataDir }: SiteFile, stack: AsyncDisposableStack) {
    this.name = name;
    this.path = path;
    this.layout = siteLayout(dataDir);
    this.#stack = stack;
  }

  /** A new site in `directory`, not started, which listens on `host`. */
  static async create(name: string, directory: string, host = '127.0.0.1'): Promise<TestSite> {
    await using stack = new AsyncDisposableStack();
    const { first } = stack.use(await takePortBlock());
    const file = await initSite(join(directory, name), {
      site: name,
      publicHost: host,
      listenHost: host,
      firstPort: first,
    });
    const { secrets } = siteLayout(file.dataDir);
    await writeSecret(secrets.databaseKey, new Secret(databaseKey));
    return new TestSite(name, file, stack.move());
  }

  /** The configuration as it stands in site.yaml. */
  file(): Promise<SiteFile> {
    return readSiteFile(this.path);
  }

  /** Starts the supervisor and waits until everything runs. `env` reaches the programs too. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    if (!this.#wasStarted) await this.#copyClusters();
    this.#wasStarted = true;
    const main = join(import.meta.dirname, '../../services/site/main.ts');
    const child = fork(main, ['--config', this.path], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    });
    this.#supervisor = child;
    child.stderr?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    const exited = once(child, 'exit').then(() => 'exited' as const);
    const ready = once(child, 'message').then(() => 'ready' as const);
    if ((await Promise.race([ready, exited])) === 'exited')
      throw await this.#failure('ended while it started');
    await this.waitForUnits();
  }

  /** Stops in order; resolves when the supervisor has ended. Returns its exit code. */
  async stop(): Promise<number | null> {
    const child = this.#supervisor;
    this.#supervisor = undefined;
    for (const database of this.#databases.values()) await database[Symbol.asyncDispose]();
    this.#databases.clear();
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    return child.exitCode;
  }

  /** kill -9 of the supervisor; what it watched is left to itself. */
  async killSupervisor(): Promise<void> {
    const child = this.#supervisor;
    if (!child) throw new Error(`${this.name} is not running`);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    this.#supervisor = undefined;
  }

  /** Signals a program (`api`) or a database's postmaster (`home`, `standby_c2`); returns its process id. */
  async kill(unit: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    const { pid } = await this.unit(unit);
    if (pid === undefined) throw new Error(`${this.name}: ${unit} has no process`);
    signalProcess(pid, signal);
    return pid;
  }

  async state(): Promise<SiteState> {
    const state = await readSiteState(this.layout);
    if (!state) throw await this.#failure('is not running');
    return state;
  }

  async unit(name: string): Promise<UnitStatus> {
    const found = (await this.state()).units.find((unit) => unit.name === name);
    if (!found) throw new Error(`${this.name} has no unit ${name}`);
    return found;
  }

  /** Waits until every unit runs and, where given, `accept` is content. */
  async waitForUnits(accept: (units: readonly UnitStatus[]) => boolean = () => true): Promise<void> {
    await this.waitFor('its units to run', async () => {
      const units = (await readSiteState(this.layout))?.units ?? [];
      return units.length > 0 && units.every(({ state }) => state === 'running') && accept(units);
    });
  }

  /** Waits until `unit` runs in another process than `pid`. */
  async waitForRestart(unit: string, pid: number): Promise<void> {
    await this.waitForUnits((units) => units.some((each) => each.name === unit && each.pid !== pid));
  }

  /** Waits for a condition; on failure shows the end of every log. */
  async waitFor(what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + waitMs;
    while (!(await condition())) {
      if (performance.now() > deadline) throw await this.#failure(`waited ${waitMs} ms for ${what}`);
      await sleep(pollMs);
    }
  }

  /** Processes of programs and databases that exist, by unit. */
  async processes(): Promise<ReadonlyMap<string, { readonly pid: number; readonly ticks: string }>> {
    const { units } = await this.state();
    return new Map(
      units.flatMap(({ name, pid = 0 }) => {
        const ticks = startTicks(pid);
        return ticks === undefined ? [] : [[name, { pid, ticks }] as const];
      }),
    );
  }

  /** The HTTP API, as `role`. The caller disposes of it. */
  async api(role: 'viewer' | 'operator' | 'admin' = 'admin'): Promise<HttpClient> {
    const { config } = await this.file();
    return new HttpClient({
      baseUrl: `${config.api.tls ? 'https' : 'http'}://${formatAddress(config.api.listen)}`,
      token: await readSecret(this.layout.secrets.token(role)),
    });
  }

  /** Puts a row through the api as an operator would. */
  async put(
    kind: Kind,
    row: Row,
    query: Readonly<Record<string, string | number>> = {},
  ): Promise<ChangeDone> {
    using api = await this.api('operator');
    const path = `/v1/config/${kind.name}/${encodeURIComponent(keyOf(kind, row))}`;
    return await api.request('PUT', path, { body: row, query, answer: changeDoneSchema });
  }

  /** Puts many rows; returns the seq of the last event. */
  async putAll(kind: Kind, rows: readonly Row[]): Promise<number> {
    using api = await this.api('operator');
    const options = { lines: rows, answer: importLineSchema };
    for await (const line of api.stream('POST', `/v1/import/${kind.name}`, options)) {
      if (line.type === 'refused' || (line.type === 'done' && !line.ok))
        throw new Error(JSON.stringify(line));
      if (line.type === 'done') return line.seq;
    }
    throw new Error('the import was broken off');
  }

  /** Domain and users of this site, each with everybody's password; returns the seq of the last event. */
  async provision(users: readonly string[], fields: Partial<Row> = {}): Promise<number> {
    const name = `${this.name}.example`;
    await this.put(domain, aDomain(name));
    return this.putAll(
      subscriber,
      users.map((user) => aUser(`${user}@${name}`, { home_site: this.name, backup_site: null, ...fields })),
    );
  }

  /** Where its front listens. */
  async sip(transport: 'udp' | 'tcp' | 'tls' = 'udp'): Promise<Address> {
    const { config } = await this.file();
    const listener = config.sip?.[transport];
    if (!listener) throw new Error(`${this.name} has no SIP over ${transport}`);
    return listener.listen;
  }

  /** What a program says of its health. */
  async health(program: string): Promise<Readonly<Record<string, unknown>>> {
    const config = JSON.parse(await readFile(this.layout.programConfig(program), 'utf8'));
    const { host, port } = config.diagnostics as Address;
    return (await (await fetch(`http://${host}:${port}/health`)).json()) as Record<string, unknown>;
  }

  /** Waits until a processor (`processor-home`, `processor-standby-c2`) serves its configuration as of `seq`. */
  async waitServing(processor: string, seq = 0): Promise<void> {
    await this.waitFor(`${processor} to serve event ${seq}`, async () => {
      const { healthy, configuration, databaseSilentMs } = await this.health(processor).catch(
        () => ({}) as never,
      );
      // While its database is silent it serves those whom it has in memory, and nobody else.
      if (healthy !== true || databaseSilentMs !== 0) return false;
      return ((configuration as { seq: number } | null)?.seq ?? -1) >= seq;
    });
  }

  /** Head of this site's configuration log. */
  async head(): Promise<Position> {
    return readHead(await this.database('home'));
  }

  /** What this site has applied of the peer's configuration log. */
  async applied(peer: string): Promise<Position> {
    return readHead(await this.database(standbyName(peer)));
  }

  /** Waits until this site has applied the peer's log up to `seq`. */
  async waitApplied(peer: string, seq: number): Promise<void> {
    await this.waitFor(`event ${seq} of ${peer}`, async () => (await this.applied(peer)).seq >= seq);
  }

  /** A database (`home`, `shared`, `standby_c2`) as its administrator; closed with the site. */
  async database(name: string): Promise<Database> {
    const known = this.#databases.get(name);
    if (known) return known;
    const database = openDatabase({ url: await this.databaseUrl(name), applicationName: 'test', poolMax: 2 });
    this.#databases.set(name, database);
    return database;
  }

  async databaseUrl(name: string): Promise<string> {
    const url = await locateDatabase(await this.file(), name);
    if (url === undefined) throw new Error(`${this.name} has no database ${name}`);
    return url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const processes = this.#supervisor ? await this.processes().catch(() => new Map()) : new Map();
    await this.stop();
    await this.#stack.disposeAsync();
    const left = [...processes].filter(([, { pid, ticks }]) => startTicks(pid) === ticks);
    if (left.length > 0)
      throw new Error(`${this.name} left running: ${left.map(([unit]) => unit).join(', ')}`);
  }

  /** Only for the first start: a database that is deleted later begins anew, as it would in production. */
  async #copyClusters(): Promise<void> {
    const passwordOf = await openPasswords(this.layout);
    for (const { name, url } of plannedDatabases((await this.file()).config)) {
      const dataDir = this.layout.postgres(name);
      if (url !== undefined || existsSync(dataDir)) continue;
      await copyCluster(dataDir, passwordOf('postgres').reveal());
    }
  }

  async #failure(what: string): Promise<Error> {
    const programs = plannedPrograms((await this.file()).config);
    const logs = await Promise.all(programs.map(({ name }) => tailOf(this.layout.programLog(name))));
    const texts = [this.#output.split('\n').slice(-logTailLines).join('\n'), ...logs];
    return new Error(`site ${this.name} ${what}\n${texts.join('\n---\n')}`);
  }
}

async function tailOf(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '(no log)');
  return `${path}\n${text.split('\n').slice(-logTailLines).join('\n')}`;
}
