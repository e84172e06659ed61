import type { Logger } from '../../platform/logging/logger.ts';
import { startTicks } from '../../platform/embedded-postgres/process.ts';
import { messageOf } from '../../protocol/errors/index.ts';
import { renewCertificate } from '../certificates.ts';
import type { SiteFile } from '../config/read.ts';
import { siteLayout } from '../layout.ts';
import type { SiteLayout } from '../layout.ts';
import { planSite } from '../plan.ts';
import type { DatabaseToRun } from '../plan.ts';
import { writeProgramConfigs } from '../program-configs.ts';
import { plannedPrograms } from '../programs.ts';
import type { PlannedProgram } from '../programs.ts';
import { startProgram } from './program-process.ts';
import type { Running } from './running.ts';
import { StateFile } from './state-file.ts';
import type { SiteState } from './state-file.ts';
import { Unit } from './unit.ts';

type Start = (signal: AbortSignal) => Promise<Running>;

type RunningDatabase = { readonly identity: string; contents: string; readonly unit: Unit };

/**
 * Starts, watches and stops the databases and programs of one site.
 *
 * Invariant: programs run only while the databases they need have been prepared, and stop before them: the api first,
 * then the front, the processors, the synchronizer, and then the databases.
 */
export class Supervisor implements AsyncDisposable {
  readonly #layout: SiteLayout;
  readonly #log: Logger;
  readonly #stateFile: StateFile;
  readonly #startedAt = new Date().toISOString();
  readonly #databases = new Map<string, RunningDatabase>();
  readonly #programs = new Map<string, Unit>();
  #file: SiteFile;
  #ready = false;
  #stopping = false;
  #applying: Promise<void> = Promise.resolve();
  #problem: string | undefined;

  constructor(file: SiteFile, log: Logger) {
    this.#layout = siteLayout(file.dataDir);
    this.#file = file;
    this.#log = log;
    this.#stateFile = new StateFile(this.#layout, () => this.state);
  }

  get state(): SiteState {
    const units = [...[...this.#databases.values()].map(({ unit }) => unit), ...this.#programs.values()];
    return {
      site: this.#file.config.site,
      pid: process.pid,
      startTicks: startTicks(process.pid) ?? '',
      startedAt: this.#startedAt,
      ready: this.#ready,
      problem: this.#problem,
      units: units.map(({ status }) => status),
    };
  }

  /**
   * Makes what runs agree with `file`: databases of new peers are made, programs whose configuration changed start
   * anew, processors and databases of peers that are gone stop (their data stays).
   */
  apply(file: SiteFile): Promise<void> {
    const applied = this.#applying.then(() => this.#apply(file));
    this.#applying = applied.catch(() => undefined);
    return applied;
  }

  async #apply(file: SiteFile): Promise<void> {
    this.#file = file;
    await this.renewCertificate();
    const plan = await planSite(file, this.#log);
    await Promise.all(plan.databases.map((database) => this.#startDatabase(database)));
    const changed = await writeProgramConfigs(plan);
    const programs = plannedPrograms(file.config);
    await Promise.all(programs.map((program) => this.#startProgram(program, changed.has(program.name))));

    const kept = new Set(programs.map(({ name }) => name));
    for (const name of this.#programs.keys()) if (!kept.has(name)) await this.#stopProgram(name);
    const names = new Set(plan.databases.map(({ name }) => name));
    for (const name of this.#databases.keys()) if (!names.has(name)) await this.#stopDatabase(name);
    this.#ready = true;
    this.#problem = undefined;
    this.#stateFile.update();
  }

  /** Says in the state why the newest configuration is not in effect. */
  report(error: unknown): void {
    this.#problem = messageOf(error);
    this.#stateFile.update();
  }

  /** Issues a new certificate when one is due; programs take it up while they run. */
  async renewCertificate(): Promise<void> {
    const { config } = this.#file;
    if (await renewCertificate(this.#layout, config.site, config.public_host, Date.now())) {
      this.#log.info('a new certificate was issued');
    }
  }

  /** Stops everything, in order; what is being started gives up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.#stopUnits();
    await this.#applying;
    await this.#stateFile[Symbol.asyncDispose]();
  }

  async #stopUnits(): Promise<void> {
    const order = plannedPrograms(this.#file.config).map(({ name }) => name);
    const others = [...this.#programs.keys()].filter((name) => !order.includes(name));
    for (const name of [...others, ...order.toReversed()]) await this.#stopProgram(name);
    this.#log.info('stopping the databases');
    await Promise.all([...this.#databases.keys()].map((name) => this.#stopDatabase(name)));
  }

  async #startDatabase(database: DatabaseToRun): Promise<void> {
    const { name, identity, contents, start } = database;
    const running = this.#databases.get(name);
    if (running?.identity === identity) return await this.#prepareAgain(running, database);
    if (running) await this.#stopDatabase(name);
    const unit = this.#unit(name, start);
    this.#databases.set(name, { identity, contents, unit });
    await unit.start();
  }

  async #prepareAgain(running: RunningDatabase, { contents, prepare }: DatabaseToRun): Promise<void> {
    if (running.contents === contents) return;
    await prepare();
    running.contents = contents;
  }

  async #stopDatabase(name: string): Promise<void> {
    await this.#databases.get(name)?.unit.stop();
    this.#databases.delete(name);
  }

  /** A program that does not come up is tried again and again; the others work meanwhile. */
  async #startProgram(program: PlannedProgram, changed: boolean): Promise<void> {
    const { name } = program;
    const running = this.#programs.get(name);
    if (running && !changed) return;
    await running?.stop();
    const unit = this.#unit(name, (signal) => startProgram(program, this.#layout, signal));
    this.#programs.set(name, unit);
    await unit.start().catch(() => undefined);
  }

  async #stopProgram(name: string): Promise<void> {
    this.#log.info({ unit: name }, 'stopping');
    await this.#programs.get(name)?.stop();
    this.#programs.delete(name);
  }

  #unit(name: string, start: Start): Unit {
    if (this.#stopping) throw new Error('the site is stopping');
    return new Unit({ name, start, log: this.#log, onChange: () => this.#stateFile.update() });
  }
}
