import { describe, expect, it } from 'vitest';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { SharedAlarms } from '../../services/synchronizer/alarms/alarms.ts';
import { testDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

const log = createLogger({ program: 'test', level: 'silent' });

async function alarmsIn({ database }: TestDatabase): Promise<readonly string[]> {
  const { rows } = await database.query<{ alarm: string }>(
    `select concat_ws(' ', code, subject, case when cleared_at is null then 'open' else 'cleared by ' || cleared_by end) as alarm
     from site.alarms order by id`,
  );
  return rows.map(({ alarm }) => alarm);
}

describe('alarms', () => {
  it('are open once per code and subject, and again after they were cleared', async () => {
    await using shared = await testDatabase('shared');
    await using alarms = new SharedAlarms(shared.database, log);
    await Promise.all([alarms.raise('LINK_FORKED', 'c1', 'one'), alarms.raise('LINK_FORKED', 'c1', 'two')]);
    await alarms.raise('LINK_FORKED', 'c3', '');
    await alarms.clear('LINK_FORKED', 'c1');
    await alarms.clear('LINK_FORKED', 'c1');
    await alarms.raise('LINK_FORKED', 'c1', 'again');
    expect(await alarmsIn(shared)).toEqual([
      'LINK_FORKED c1 cleared by synchronizer',
      'LINK_FORKED c3 open',
      'LINK_FORKED c1 open',
    ]);
  });

  it('of others, and of other peers, are left alone', async () => {
    await using shared = await testDatabase('shared');
    await using alarms = new SharedAlarms(shared.database, log);
    await shared.database.query(
      `insert into site.alarms (code, subject, detail) values ('LOG_RESTORED', 'configuration', '')`,
    );
    await alarms.raise('LOG_FORKED', 'configuration', '', { peer: 'c2' });
    await alarms.clear('LOG_RESTORED', 'configuration', { peer: 'c2' });
    await alarms.clear('LOG_FORKED', 'configuration', { peer: 'c3' });
    expect(await alarmsIn(shared)).toEqual([
      'LOG_RESTORED configuration open',
      'LOG_FORKED configuration open',
    ]);
  });

  it('an operator has settled are not raised again for the same facts', async () => {
    await using shared = await testDatabase('shared');
    await using alarms = new SharedAlarms(shared.database, log);
    const facts = { peer: 'c2', incarnation: 'x', seq: 7 };
    await alarms.raiseUnlessSettled('LOG_RESTORED', 'configuration', '', facts);
    await shared.database.query(`update site.alarms set cleared_at = now(), cleared_by = 'operator'`);
    await alarms.raiseUnlessSettled('LOG_RESTORED', 'configuration', '', facts);
    expect(await alarmsIn(shared)).toEqual(['LOG_RESTORED configuration cleared by operator']);
    await alarms.raiseUnlessSettled('LOG_RESTORED', 'configuration', '', { ...facts, seq: 8 });
    expect(await alarmsIn(shared)).toHaveLength(2);
  });

  it('wait for a database that is down without holding anybody up, the newest of each', async () => {
    await using shared = await testDatabase('shared');
    await using admin = await testDatabase('empty');
    await using alarms = new SharedAlarms(shared.database, log);
    await admin.database.query(`alter database ${shared.name} with allow_connections false`);
    await admin.database.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      shared.name,
    ]);
    await alarms.raise('LINK_FORKED', 'c1', '');
    await alarms.raise('LINK_SNAPSHOT_NEEDED', 'c1', '');
    await alarms.clear('LINK_FORKED', 'c1');
    await admin.database.query(`alter database ${shared.name} with allow_connections true`);
    await expect.poll(() => alarmsIn(shared), { timeout: 20_000 }).toEqual(['LINK_SNAPSHOT_NEEDED c1 open']);
  });
});
