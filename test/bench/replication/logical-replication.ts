import { setTimeout as sleep } from 'node:timers/promises';
import { migrations } from '../../../migrations/config/index.ts';
import { openDatabase } from '../../../services/platform/postgres/database.ts';
import type { Database } from '../../../services/platform/postgres/database.ts';
import { migrate } from '../../../services/platform/postgres/migrate.ts';
import { testServer } from '../../support/test-server.ts';
import type { TestServer } from '../../support/test-server.ts';
import { cpuOfBench, cpuSecondsOf } from '../cpu.ts';
import type { CpuSeconds } from '../cpu.ts';
import { aorOf, fillSubscribers } from './rows.ts';
import { atRate, rowsOfClient } from './system.ts';
import type { ReplicatedSystem } from './system.ts';
import { Visibility, VisibilityProbe } from './visibility.ts';

const POLL_MS = 10;
const CLIENTS_MAX = 16;

const changeOne = (n: number, displayName: string) => ({
  name: 'bench.change',
  text: 'update subscribers set display_name = $2 where aor = $1',
  values: [aorOf(n), displayName],
});

type Node = { readonly server: TestServer; readonly database: Database };

/**
 * PostgreSQL's own logical replication between two embedded servers with shipped defaults (beside
 * `wal_level`, which it needs), of the table this project has, without the project's triggers.
 */
export class LogicalReplication implements ReplicatedSystem {
  readonly #publisher: Node;
  readonly #subscriber: Node;
  readonly #rows: number;
  readonly #owned: AsyncDisposableStack;
  /** Of the subscriber's apply process; off as shipped. */
  #synchronousCommit: 'off' | 'on' = 'off';
  #mark = 0;

  private constructor(publisher: Node, subscriber: Node, rows: number, owned: AsyncDisposableStack) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#rows = rows;
    this.#owned = owned;
  }

  /** Two servers, the first filled with `rows` subscribers. */
  static async start(rows: number): Promise<LogicalReplication> {
    await using stack = new AsyncDisposableStack();
    const open = async (): Promise<Node> => {
      const server = stack.use(await testServer({ durable: true, settings: { wal_level: 'logical' } }));
      const url = server.url('postgres');
      await migrate({ url, migrations, applicationName: 'bench' });
      const options = { url, applicationName: 'bench', poolMax: CLIENTS_MAX, statementTimeoutMs: 0 };
      const database = stack.use(openDatabase(options));
      await database.query('drop trigger guard_change on subscribers');
      await database.query('drop trigger guard_append_only on subscribers');
      return { server, database };
    };
    const publisher = await open();
    const subscriber = await open();
    await fillSubscribers(publisher.database, rows);
    await publisher.database.query('create publication bench for table subscribers');
    const system = new LogicalReplication(publisher, subscriber, rows, stack.move());
    await system.settle();
    await system.initialCopyMs();
    return system;
  }

  /** Has what is measured next use this setting of the subscriber. */
  async use(synchronousCommit: 'off' | 'on'): Promise<void> {
    this.#synchronousCommit = synchronousCommit;
    await this.#subscriber.database.query(
      `alter subscription bench set (synchronous_commit = ${synchronousCommit})`,
    );
  }

  async settle(): Promise<void> {
    for (const { database } of [this.#publisher, this.#subscriber]) {
      await database.query('vacuum analyze');
      await database.query('checkpoint');
    }
  }

  async cpuSeconds(): Promise<CpuSeconds> {
    return new Map([
      ['bench', cpuOfBench()],
      ['publisher', cpuSecondsOf(this.#publisher.server.server.pid)],
      ['subscriber', cpuSecondsOf(this.#subscriber.server.server.pid)],
    ]);
  }

  async initialCopyMs(): Promise<number> {
    const { database } = this.#subscriber;
    await database.query('drop subscription if exists bench');
    await database.query('truncate subscribers');
    const startedMs = performance.now();
    await database.query(
      `create subscription bench connection '${this.#publisher.server.url('postgres')}' publication bench
       with (synchronous_commit = ${this.#synchronousCommit})`,
    );
    for (;;) {
      const { rows } = await database.query<{ state: string }>(
        'select srsubstate as state from pg_subscription_rel',
      );
      if (rows.length > 0 && rows.every(({ state }) => state === 'r')) return performance.now() - startedMs;
      await sleep(POLL_MS);
    }
  }

  async bulkMs(count: number): Promise<number> {
    const displayName = this.#nextName();
    await using session = await this.#subscriber.database.session();
    const visibility = await Visibility.in(session);
    const startedMs = performance.now();
    await this.#publisher.database.query('update subscribers set display_name = $1 where aor <= $2', [
      displayName,
      aorOf(count),
    ]);
    await visibility.until(count, displayName);
    return performance.now() - startedMs;
  }

  async singlesMs(count: number, clients: number): Promise<number> {
    const displayName = this.#nextName();
    await using session = await this.#subscriber.database.session();
    const visibility = await Visibility.in(session);
    const startedMs = performance.now();
    const last = await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        await using connection = await this.#publisher.database.session();
        let n = 1;
        for (n of rowsOfClient(client, clients, count, this.#rows))
          await connection.query(changeOne(n, displayName));
        return n;
      }),
    );
    for (const n of last) await visibility.until(n, displayName);
    return performance.now() - startedMs;
  }

  /** A change is a statement on a kept connection; there is no other way. */
  singleRequestsMs(count: number, clients: number): Promise<number> {
    return this.singlesMs(count, clients);
  }

  async lagsMs(perSecond: number, seconds: number): Promise<readonly number[]> {
    await using session = await this.#subscriber.database.session();
    const probe = new VisibilityProbe(await Visibility.in(session));
    const probing = probe.run();
    await atRate(perSecond, seconds, async (k) => {
      const displayName = this.#nextName();
      const n = (k % this.#rows) + 1;
      await this.#publisher.database.query(changeOne(n, displayName));
      probe.answered(n, displayName);
    });
    probe.close();
    await probing;
    return probe.lagsMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscriber.database.query('drop subscription if exists bench').catch(() => undefined);
    await this.#owned[Symbol.asyncDispose]();
  }

  #nextName(): string {
    this.#mark += 1;
    return `Mark ${this.#mark}`;
  }
}
