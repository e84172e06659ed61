import { describe, expect, it } from 'vitest';
import { registrationLog } from '../../services/log/definition.ts';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import { listen } from '../../services/platform/postgres/listen.ts';
import { LogName } from '../../services/protocol/names.ts';
import { verifyChain } from '../../services/log/verify-chain.ts';
import type { JobKind } from '../../services/protocol/rest/jobs.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { directionFrom, SyncPair } from '../support/sync-pair.ts';
import type { SyncSite } from '../support/sync-pair.ts';

const log = LogName.registration;
const patience = { timeout: 30_000, interval: 20 };

/** Every table of a registration log, row by row. */
async function contentOf({ database }: TestDatabase, schema: string): Promise<unknown> {
  const content: Record<string, unknown> = {};
  for (const { name, key } of registrationLog.tables) {
    const { rows } = await database.query(`select * from ${schema}.${name} order by ${key}`);
    content[name] = rows;
  }
  return content;
}

async function expectCopied(from: SyncSite, to: SyncSite): Promise<void> {
  expect(await contentOf(to.shared, `peer_${from.name}`)).toEqual(await contentOf(from.shared, 'own'));
}

async function expectDone(site: SyncSite, kind: JobKind): Promise<unknown> {
  const job = await site.ended(await site.request(kind, log));
  expect(job).toMatchObject({ state: 'done', error: null });
  return job.result;
}

/** Nobody gets into a database any more, as if its server were gone. */
async function shut({ name, database }: TestDatabase, through: TestDatabase): Promise<AsyncDisposable> {
  await through.database.query(`alter database ${name} with allow_connections false`);
  await through.database.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
    name,
  ]);
  return {
    async [Symbol.asyncDispose]() {
      await through.database.query(`alter database ${name} with allow_connections true`);
      await expect
        .poll(() =>
          database.query('select 1').then(
            () => true,
            () => false,
          ),
        )
        .toBe(true);
    },
  };
}

describe('registrations', () => {
  it('of each site reach the copy at the other, which says so to whoever follows it', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    const heard: string[] = [];
    await using _listener = listen({
      url: c2.shared.url,
      applicationName: 'test',
      channels: ['dualhome_peer_flows'],
      onNotify: (_channel, payload) => heard.push(payload),
    });
    const [one, other] = await Promise.all([c1.register(300), c2.register(40, { fields: { owner: 'c2' } })]);
    await Promise.all([c2.applied(one.seq, log), c1.applied(other.seq, log)]);
    await expectCopied(c1, c2);
    await expectCopied(c2, c1);
    await expect.poll(() => heard.at(-1), patience).toBe(`peer_c1 ${one.seq}`);
    const { database } = c2.shared;
    await using copy = openDatabase({ url: c2.shared.url, schema: 'peer_c1', applicationName: 'test' });
    expect(await verifyChain(copy)).toMatchObject({ from: 1, to: one.seq });
    await expect(copy.query('delete from flows')).rejects.toThrow('only together with an event');
    const { rows } = await database.query('select count(*) as events from own.log');
    expect(rows).toEqual([{ events: other.seq }]);
  });

  it('become ready by themselves, and the status of both logs is the same at both sites', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    const [{ seq }, configured] = await Promise.all([c1.register(10), c1.append(10)]);
    await Promise.all([c2.applied(seq, log), c2.applied(configured.seq)]);
    for (const site of [c1, c2]) {
      await site.statusWhen('both logs of c1 ready', (status) =>
        [LogName.configuration, log].every((name) => {
          const { ready, health, applied } = directionFrom(status, 'c1', name);
          return ready && health === 'ok' && applied === seq;
        }),
      );
    }
  });

  it('go on while the standby database of the peer is gone, and configuration while the shared one is', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await Promise.all([c1.append(5), c1.register(5)]);
    await Promise.all([c2.applied(6), c2.applied(6, log)]);
    {
      await using _shut = await shut(c2.standby, c1.home);
      await c1.append(5, { first: 100 });
      const { seq } = await c1.register(50, { first: 100 });
      await c2.applied(seq, log);
      await c2.statusWhen('configuration waits', (status) => directionFrom(status, 'c1').lane === 'waiting');
      await expectCopied(c1, c2);
    }
    await c2.applied(11);
    {
      await using _shut = await shut(c2.shared, c1.home);
      await c1.register(5, { first: 500 });
      const { seq } = await c1.append(50, { first: 500 });
      await c2.applied(seq);
      await c2.statusWhen(
        'registrations wait',
        (status) => directionFrom(status, 'c1', log).lane === 'waiting',
      );
    }
    await c2.applied(61, log);
    await expectCopied(c1, c2);
  });

  it('of the peer that were altered here are found by a comparison and repaired by a resync, those of this site left alone', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    const [{ seq }] = await Promise.all([c1.register(50), c2.register(7)]);
    await c2.applied(seq, log);
    const own = await contentOf(c2.shared, 'own');
    await using session = await c2.shared.database.session();
    await session.query(`alter table peer_c1.flows disable trigger user`);
    await session.query(`update peer_c1.flows set contact = 'sip:gone@c1.example' where cseq = 1`);
    await session.query(`alter table peer_c1.flows enable trigger user`);
    expect(await expectDone(c1, 'verify')).toMatchObject({ equal: false, seq });
    await c1.alarmsAre('VERIFY_DIFFERENT c2/registration-copy');
    await c2.alarmsAre('VERIFY_DIFFERENT c1/registration');
    await c1.register(20, { first: 1_000 });
    expect(await expectDone(c1, 'resync')).toMatchObject({ rows: 71 });
    expect(await expectDone(c1, 'verify')).toMatchObject({ equal: true });
    await c2.alarmsAre();
    await expectCopied(c1, c2);
    expect(await contentOf(c2.shared, 'own')).toEqual(own);
    const next = await c1.register(5, { first: 2_000 });
    await c2.applied(next.seq, log);
    await expectCopied(c1, c2);
  });

  it('are copied both ways by a bootstrap, beside the configuration', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    const [one, other] = await Promise.all([c1.register(30), c2.register(20), c1.append(10), c2.append(10)]);
    const job = await c1.ended(await c1.request('bootstrap'));
    expect(job).toMatchObject({
      state: 'done',
      result: {
        resync: { rows: 11 },
        pull: {},
        'registration resync': { rows: 31 },
        'registration pull': {},
      },
    });
    await Promise.all([c2.applied(one.seq, log), c1.applied(other.seq, log)]);
    await expectCopied(c1, c2);
    await expectCopied(c2, c1);
  });

  it('that the log alone cannot bring back are fetched by themselves, and their history afterwards', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await c2.stop();
    const { seq } = await c1.register(100);
    await using session = await c1.shared.database.session();
    await session.query('set search_path = own');
    await session.query('create temporary table kept as select * from log where seq <= 60');
    await session.query('delete from log where seq <= 60');
    await c2.start();
    await c2.applied(seq, log);
    await expectCopied(c1, c2);
    await session.query('insert into log select * from kept');
    expect(await expectDone(c2, 'backfill')).toMatchObject({ complete: true });
    await using copy = openDatabase({ url: c2.shared.url, schema: 'peer_c1', applicationName: 'test' });
    expect(await verifyChain(copy)).toMatchObject({ from: 1, to: seq });
    await c2.alarmsAre();
  });
});
