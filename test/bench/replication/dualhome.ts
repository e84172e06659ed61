import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { HttpClient } from '../../../services/platform/http/client.ts';
import { changeDoneSchema, changeLineSchema } from '../../../services/protocol/rest/changes.ts';
import { importLineSchema } from '../../../services/protocol/rest/import.ts';
import { hasEnded, jobSchema } from '../../../services/protocol/rest/jobs.ts';
import { TwoSites } from '../../support/two-sites.ts';
import type { ProcessPeak } from '../report.ts';
import type { CpuSeconds } from '../cpu.ts';
import { SiteProcesses } from '../site-processes.ts';
import { aorOf } from './rows.ts';
import { atRate, rowsOfClient } from './system.ts';
import type { ReplicatedSystem } from './system.ts';
import { Visibility, VisibilityProbe } from './visibility.ts';

const POLL_MS = 50;
const BATCH_ROWS = 500;

const changeOne = (n: number, displayName: string) => ({
  op: 'merge',
  kind: 'subscriber',
  key: aorOf(n),
  row: { display_name: displayName },
});

/** Two complete sites of this project on this machine, driven through c1's HTTP API and watched at c2's standby. */
export class Dualhome implements ReplicatedSystem {
  readonly sites: TwoSites;
  readonly #rows: number;
  readonly #api: HttpClient;
  readonly #processes: SiteProcesses;
  #mark = 0;

  private constructor(sites: TwoSites, rows: number, api: HttpClient) {
    this.sites = sites;
    this.#rows = rows;
    this.#api = api;
    this.#processes = new SiteProcesses([sites.c1, sites.c2]);
  }

  /** Two paired sites, c1 filled with `rows` subscribers. */
  static async start(rows: number, env: Readonly<Record<string, string>> = {}): Promise<Dualhome> {
    const sites = await TwoSites.start({ env: { c1: env, c2: env }, direct: true });
    try {
      const dualhome = new Dualhome(sites, rows, await sites.c1.api());
      await dualhome.#fill();
      return dualhome;
    } catch (error) {
      await sites[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Highest resident set of each program so far. */
  get peaks(): readonly ProcessPeak[] {
    return this.#processes.peaks;
  }

  cpuSeconds(): Promise<CpuSeconds> {
    return this.#processes.cpuSeconds();
  }

  async settle(): Promise<void> {
    for (const database of [
      await this.sites.c1.database('home'),
      await this.sites.c2.database('standby_c1'),
    ]) {
      await database.query('vacuum');
      await database.query('checkpoint');
    }
  }

  /** A resync of everything: export, compress, FTPS, import, index, verify, roll forward, swap. */
  async initialCopyMs(): Promise<number> {
    const startedMs = performance.now();
    const body = { kind: 'resync', peer: 'c2', reason: 'bench' };
    const { id } = await this.#api.request('POST', '/v1/jobs', { body, answer: jobSchema });
    for (;;) {
      const job = await this.#api.request('GET', `/v1/jobs/${id}`, { answer: jobSchema });
      if (hasEnded(job.state)) {
        if (job.state !== 'done') throw new Error(`the resync ${job.state}: ${JSON.stringify(job.error)}`);
        return performance.now() - startedMs;
      }
      await sleep(POLL_MS);
    }
  }

  async bulkMs(count: number): Promise<number> {
    const displayName = this.#nextName();
    const standby = await this.sites.c2.database('standby_c1');
    await using session = await standby.session();
    const visibility = await Visibility.in(session);
    const startedMs = performance.now();
    await this.#import(count, (n) => ({ aor: aorOf(n), display_name: displayName }), 'merge');
    await visibility.until(count, displayName);
    return performance.now() - startedMs;
  }

  /** Over NDJSON streams, as a provisioning system that keeps its connection. */
  async singlesMs(count: number, clients: number): Promise<number> {
    const displayName = this.#nextName();
    return this.#singles(clients, async (client) => {
      let last = 1;
      const answers = new Turn();
      const lines = async function* () {
        for (last of rowsOfClient(client, clients, count, Number.MAX_SAFE_INTEGER)) {
          yield changeOne(last, displayName);
          await answers.next();
        }
      };
      const stream = this.#api.stream('POST', '/v1/changes', { lines: lines(), answer: changeLineSchema });
      for await (const line of stream) {
        if ('problem' in line) throw new Error(JSON.stringify(line.problem));
        answers.give();
      }
      return { last, displayName };
    });
  }

  /** The same, each change a request of its own. */
  async singleRequestsMs(count: number, clients: number): Promise<number> {
    const displayName = this.#nextName();
    return this.#singles(clients, async (client) => {
      let last = 1;
      for (last of rowsOfClient(client, clients, count, Number.MAX_SAFE_INTEGER)) {
        await this.#api.request('POST', '/v1/changes', {
          body: changeOne(last, displayName),
          answer: changeDoneSchema,
        });
      }
      return { last, displayName };
    });
  }

  async lagsMs(perSecond: number, seconds: number): Promise<readonly number[]> {
    const standby = await this.sites.c2.database('standby_c1');
    await using session = await standby.session();
    const probe = new VisibilityProbe(await Visibility.in(session));
    const probing = probe.run();
    const sent: { n: number; displayName: string }[] = [];
    const queue = new Turn();
    const total = perSecond * seconds;
    const lines = async function* () {
      for (let k = 0; k < total; k += 1) {
        await queue.next();
        const change = sent[k];
        if (change) yield changeOne(change.n, change.displayName);
      }
    };
    const answering = (async () => {
      let answered = 0;
      for await (const _ of this.#api.stream('POST', '/v1/changes', {
        lines: lines(),
        answer: z.unknown(),
      })) {
        const change = sent[answered];
        if (change) probe.answered(change.n, change.displayName);
        answered += 1;
      }
    })();
    await atRate(perSecond, seconds, async (k) => {
      sent.push({ n: (k % this.#rows) + 1, displayName: this.#nextName() });
      queue.give();
    });
    await answering;
    probe.close();
    await probing;
    return probe.lagsMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#processes[Symbol.dispose]();
    this.#api[Symbol.dispose]();
    await this.sites[Symbol.asyncDispose]();
  }

  async #singles(
    clients: number,
    work: (client: number) => Promise<{ last: number; displayName: string }>,
  ): Promise<number> {
    const standby = await this.sites.c2.database('standby_c1');
    await using session = await standby.session();
    const visibility = await Visibility.in(session);
    const startedMs = performance.now();
    const done = await Promise.all(Array.from({ length: clients }, (_, client) => work(client)));
    for (const { last, displayName } of done) await visibility.until(last, displayName);
    return performance.now() - startedMs;
  }

  async #fill(): Promise<void> {
    await this.#import(
      this.#rows,
      (n) => ({
        aor: aorOf(n),
        display_name: `User ${n}`,
        ha1_md5: n.toString(16).padStart(32, '0'),
        home_site: 'c1',
        backup_site: 'c2',
        class_of_service: ['local', 'national'],
        area_code: '30',
        country_code: '49',
        time_zone: 'Europe/Berlin',
      }),
      'put',
    );
    const { seq } = await this.sites.c1.head();
    await this.sites.c2.waitApplied('c1', seq);
  }

  async #import(count: number, row: (n: number) => object, mode: 'put' | 'merge'): Promise<void> {
    const lines = function* () {
      for (let n = 1; n <= count; n += 1) yield row(n);
    };
    const query = { mode, batch_rows: BATCH_ROWS };
    const answers = this.#api.stream('POST', '/v1/import/subscriber', {
      query,
      lines: lines(),
      answer: importLineSchema,
    });
    for await (const line of answers) {
      if (line.type === 'done' && !line.ok) throw new Error(JSON.stringify(line));
    }
  }

  #nextName(): string {
    this.#mark += 1;
    return `Mark ${this.#mark}`;
  }
}

/** Lets one side go on as often as the other has said so. */
class Turn {
  #given = 0;
  #waiting: (() => void) | undefined;

  give(): void {
    this.#given += 1;
    this.#waiting?.();
  }

  async next(): Promise<void> {
    while (this.#given === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#given -= 1;
  }
}
