import { setTimeout as sleep } from 'node:timers/promises';
import { migrations } from '../../../migrations/config/index.ts';
import { openDatabase } from '../../../services/platform/postgres/database.ts';
import type { Database } from '../../../services/platform/postgres/database.ts';
import { migrate } from '../../../services/platform/postgres/migrate.ts';
import { testServer } from '../../support/test-server.ts';
import { aorOf, fillSubscribers } from './rows.ts';
import { atRate, rowsOfClient } from './system.ts';
import type { ReplicatedSystem } from './system.ts';
import { untilVisible, VisibilityProbe } from './visibility.ts';

const POLL_MS = 10;
const CLIENTS_MAX = 16;

const changeOne = (n: number, displayName: string) => ({
  name: 'bench.change',
  text: 'update subscribers set display_name = $2 where aor = $1',
  values: [aorOf(n), displayName],
});

/**
 * PostgreSQL's own logical replication between two embedded servers with shipped defaults (beside
 * `wal_level`, which it needs), of the table this project has, without the project's triggers.
 */
export class LogicalReplication implements ReplicatedSystem {
  readonly #publisher: Database;
  readonly #subscriber: Database;
  readonly #publisherUrl: string;
  readonly #synchronousCommit: boolean;
  readonly #rows: number;
  readonly #owned: AsyncDisposableStack;
  #mark = 0;

  private constructor(fields: {
    publisher: Database;
    subscriber: Database;
    publisherUrl: string;
    synchronousCommit: boolean;
    rows: number;
    owned: AsyncDisposableStack;
  }) {
    this.#publisher = fields.publisher;
    this.#subscriber = fields.subscriber;
    this.#publisherUrl = fields.publisherUrl;
    this.#synchronousCommit = fields.synchronousCommit;
    this.#rows = fields.rows;
    this.#owned = fields.owned;
  }

  /** Two servers, the first filled with `rows` subscribers. */
  static async start(rows: number, { synchronousCommit = false } = {}): Promise<LogicalReplication> {
    await using stack = new AsyncDisposableStack();
    const open = async () => {
      const server = stack.use(await testServer({ durable: true, settings: { wal_level: 'logical' } }));
      const url = server.url('postgres');
      await migrate({ url, migrations, applicationName: 'bench' });
      const options = { url, applicationName: 'bench', poolMax: CLIENTS_MAX, statementTimeoutMs: 0 };
      const database = stack.use(openDatabase(options));
      await database.query('drop trigger guard_change on subscribers');
      await database.query('drop trigger guard_append_only on subscribers');
      return { url, database };
    };
    const { url: publisherUrl, database: publisher } = await open();
    const { database: subscriber } = await open();
    await fillSubscribers(publisher, rows);
    await publisher.query('vacuum analyze subscribers');
    await publisher.query('checkpoint');
    await publisher.query('create publication bench for table subscribers');
    return new LogicalReplication({
      publisher,
      subscriber,
      publisherUrl,
      synchronousCommit,
      rows,
      owned: stack.move(),
    });
  }

  async initialCopyMs(): Promise<number> {
    await this.#subscriber.query('drop subscription if exists bench');
    await this.#subscriber.query('truncate subscribers');
    const startedMs = performance.now();
    await this.#subscriber.query(
      `create subscription bench connection '${this.#publisherUrl}' publication bench
       with (synchronous_commit = ${this.#synchronousCommit ? 'on' : 'off'})`,
    );
    for (;;) {
      const { rows } = await this.#subscriber.query<{ state: string }>(
        'select srsubstate as state from pg_subscription_rel',
      );
      if (rows.length > 0 && rows.every(({ state }) => state === 'r')) return performance.now() - startedMs;
      await sleep(POLL_MS);
    }
  }

  async bulkMs(count: number): Promise<number> {
    const displayName = this.#nextName();
    await using session = await this.#subscriber.session();
    const startedMs = performance.now();
    await this.#publisher.query('update subscribers set display_name = $1 where aor <= $2', [
      displayName,
      aorOf(count),
    ]);
    await untilVisible(session, count, displayName);
    return performance.now() - startedMs;
  }

  async singlesMs(count: number, clients: number): Promise<number> {
    const displayName = this.#nextName();
    await using session = await this.#subscriber.session();
    const startedMs = performance.now();
    const last = await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        await using connection = await this.#publisher.session();
        let n = 1;
        for (n of rowsOfClient(client, clients, count, this.#rows))
          await connection.query(changeOne(n, displayName));
        return n;
      }),
    );
    for (const n of last) await untilVisible(session, n, displayName);
    return performance.now() - startedMs;
  }

  async lagsMs(perSecond: number, seconds: number): Promise<readonly number[]> {
    await using session = await this.#subscriber.session();
    const probe = new VisibilityProbe(session);
    const probing = probe.run();
    await atRate(perSecond, seconds, async (k) => {
      const displayName = this.#nextName();
      const n = (k % this.#rows) + 1;
      await this.#publisher.query(changeOne(n, displayName));
      probe.answered(n, displayName);
    });
    probe.close();
    await probing;
    return probe.lagsMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscriber.query('drop subscription if exists bench').catch(() => undefined);
    await this.#owned[Symbol.asyncDispose]();
  }

  #nextName(): string {
    this.#mark += 1;
    return `Mark ${this.#mark}`;
  }
}
