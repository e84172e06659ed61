import { describe, expect, it } from 'vitest';
import { verifyChain } from '../../services/log/verify-chain.ts';
import { systemClock } from '../../services/platform/lifecycle/clock.ts';
import { sqlStateOf } from '../../services/platform/postgres/failures.ts';
import { openPipeline } from '../../services/platform/postgres/pipeline.ts';
import { Pruner } from '../../services/synchronizer/retention/pruner.ts';
import type { PrunerOptions } from '../../services/synchronizer/retention/pruner.ts';
import { Reservations } from '../../services/synchronizer/retention/reservations.ts';
import { silentLog } from '../support/ftp-bed.ts';
import { LogWriter, subscribers } from '../support/log-writer.ts';
import { testDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { SyncPair } from '../support/sync-pair.ts';
import type { SyncSite } from '../support/sync-pair.ts';

const patience = { timeout: 30_000, interval: 50 };

async function firstOf({ database }: TestDatabase): Promise<number> {
  const { rows } = await database.query<{ seq: number }>('select min(seq) as seq from log');
  return rows[0]?.seq ?? 0;
}

async function startPair(bytesMax: number): Promise<SyncPair> {
  const pair = await SyncPair.create();
  const retention = { bytesMax, ageMaxMs: null, auditMs: null };
  for (const site of [pair.c1, pair.c2]) site.config = { ...site.config, retention };
  await Promise.all([pair.c1.start(), pair.c2.start()]);
  await Promise.all([pair.c1.linkIs('up'), pair.c2.linkIs('up')]);
  return pair;
}

/** Both copies are the same, row by row, at the same event. */
async function expectVerified(site: SyncSite): Promise<void> {
  const job = await site.ended(await site.request('verify'));
  expect(job).toMatchObject({ state: 'done', result: { equal: true } });
}

describe('the logs of a pair', () => {
  it('are kept within their limit at both sites, and go on', async () => {
    await using pair = await startPair(200_000);
    const { c1, c2 } = pair;
    const { seq } = await c1.append(4_000);
    await c2.applied(seq);
    for (const log of [c1.home, c2.standby]) {
      await expect.poll(() => firstOf(log), patience).toBe(seq - 1_000 + 1);
      expect(await verifyChain(log.database)).toMatchObject({ to: seq });
    }
    const next = await c1.append(10, { first: 5_000 });
    await c2.applied(next.seq);
    expect(await c1.openAlarms()).toEqual([]);
    expect((await c1.sending()).trouble).toBeNull();
    await expectVerified(c1);
  });

  it('outgrow a peer that is away: it is said so, the site lives on, and a snapshot brings it back', async () => {
    await using pair = await startPair(200_000);
    const { c1, c2 } = pair;
    await c2.applied((await c1.append(100)).seq);
    await expectVerified(c1);
    await c2.stop('SIGKILL');
    await c1.append(4_000, { first: 200 });
    await c1.alarmsAre('LOG_PEER_NEEDS_RESYNC c2/configuration-copy');
    const direction = await c1.sending();
    expect(direction).toMatchObject({ health: 'halted', trouble: { code: 'LOG_PEER_NEEDS_RESYNC' } });
    const { seq } = await c1.append(10, { first: 10_000 });

    await c2.start();
    await c2.applied(seq);
    await c1.alarmsAre();
    await c2.alarmsAre();
    await expectVerified(c1);
    await c1.statusWhen('no trouble', ({ peers }) =>
      (peers[0]?.directions ?? []).every(({ trouble, from }) => from !== 'c1' || trouble === null),
    );
  });
});

/** A log of 3,000 events and its first, more than are kept in any case. */
async function aLog(): Promise<TestDatabase> {
  const home = await testDatabase('config');
  await using session = await openPipeline({ url: home.url, applicationName: 'test' });
  const writer = new LogWriter(session);
  for (let first = 1; first <= 3_000; first += 250) {
    await writer.append(Array.from({ length: 250 }, (_, i) => subscribers(first + i, first + i + 1)));
  }
  return home;
}

/** A pruner with limits that ask for everything to go, looking often; `log` is what it prunes. */
function pruner(
  home: TestDatabase,
  options: Partial<PrunerOptions> & { readonly applied?: number } = {},
): Pruner {
  const { applied = Infinity } = options;
  return new Pruner({
    logs: [{ name: 'configuration', database: home.database, applied: () => applied }],
    retention: { bytesMax: 1, ageMaxMs: null, auditMs: null },
    reservations: new Reservations(systemClock),
    clock: systemClock,
    log: silentLog,
    everyMs: 10,
    ...options,
  });
}

describe('the beginning of a log', () => {
  it('goes by age only as far as every peer has it', async () => {
    await using home = await aLog();
    const retention = { bytesMax: 1_000_000_000, ageMaxMs: 1, auditMs: null };
    await using _pruner = pruner(home, { retention, applied: 700 });
    await expect.poll(() => firstOf(home), patience).toBe(701);
  });

  it('stays as far as it is reserved', async () => {
    await using home = await aLog();
    const reservations = new Reservations(systemClock);
    reservations.hold('configuration', 1_200);
    await using _pruner = pruner(home, { reservations });
    await expect.poll(() => firstOf(home), patience).toBe(1_201);
  });

  it('stays as long as the audit wants it, whatever its size', async () => {
    await using home = await aLog();
    const looked: unknown[] = [];
    const retention = { bytesMax: 1, ageMaxMs: 1, auditMs: 3_600_000 };
    const log = { name: 'configuration', database: home.database, applied: () => looked.push(0) };
    await using _pruner = pruner(home, { retention, logs: [log] });
    await expect.poll(() => looked.length, patience).toBeGreaterThan(2);
    expect(await firstOf(home)).toBe(1);
  });

  it('is all that can be removed: neither an event amid others nor the last one', async () => {
    await using home = await aLog();
    const refused = (sql: string) => home.database.query(sql).then(() => undefined, sqlStateOf);
    expect(await refused('delete from log where seq = 2')).toBe('DH004');
    expect(await refused('delete from log where seq > 2999')).toBe('DH004');
    expect(await refused('delete from log')).toBe('DH004');
    await home.database.query('delete from log where seq <= 2');
    expect(await verifyChain(home.database)).toMatchObject({ from: 4, to: 3_001 });
  });
});
