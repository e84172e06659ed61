import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readHead } from '../../services/log/head.ts';
import { ChildProgram } from '../support/child-program.ts';
import { rewind } from '../support/rewind.ts';
import { expectSame, SyncPair } from '../support/sync-pair.ts';
import { freePort } from '../support/free-port.ts';
import type { SyncSite } from '../support/sync-pair.ts';

describe('a standby database', () => {
  it('that was put back below what it acknowledged raises an alarm and is filled again', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    const { seq } = await c1.append(300);
    await c2.applied(seq);
    await c2.stop();
    await rewind(c2.standby, 100);
    await c1.stop();
    await c2.start();
    await c2.alarmsAre('LINK_STANDBY_RESTORED c1/configuration');
    await c1.start();
    await c2.applied(seq);
    await c2.alarmsAre();
    await expectSame(c1.home, c2.standby);
  });

  it('that loses its connections is written again by itself; home does not notice', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    let writing = true;
    const written = c1.append(1_000, { perCommit: 5 }).finally(() => (writing = false));
    while (writing) {
      await c2.shared.database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = $1 and application_name like 'dualhome%'`,
        [c2.standby.name],
      );
      await Promise.race([written, c2.status()]);
    }
    const { seq } = await written;
    await c2.applied(seq);
    await expectSame(c1.home, c2.standby);
    expect(await c2.openAlarms()).toEqual([]);
  });

  it('that is down makes the lane wait and say so, while link and home go on', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await c2.applied((await c1.append(10)).seq);
    await c2.shared.database.query(`alter database ${c2.standby.name} with allow_connections false`);
    await c2.shared.database.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1',
      [c2.standby.name],
    );
    const { seq } = await c1.append(20, { first: 100 });
    await c2.statusWhen('waiting', ({ peers }) => {
      const direction = peers[0]?.directions.find(({ from }) => from === 'c1');
      return (
        direction?.lane === 'waiting' && direction.health === 'catching-up' && direction.trouble !== null
      );
    });
    await c1.statusWhen(
      'behind',
      ({ peers }) => peers[0]?.directions.find(({ from }) => from === 'c1')?.lane === 'waiting',
    );
    expect((await c1.status()).peers[0]?.link.state).toBe('up');
    expect(c2.program.messages).not.toContain('the lane is parked');
    await c2.shared.database.query(`alter database ${c2.standby.name} with allow_connections true`);
    await c2.applied(seq);
    await expectSame(c1.home, c2.standby);
  });

  it('is written by one of two synchronizers only, and by the other when that one is gone', async () => {
    await using pair = await SyncPair.start();
    const { c1, c2 } = pair;
    await c2.applied((await c1.append(10)).seq);
    await using second = await secondOf(c2);
    await second.saw('"code":"LOG_FENCED"');
    await c2.stop('SIGKILL');
    const { seq } = await c1.append(10, { first: 100 });
    const applied = async (): Promise<number> => {
      await using session = await c2.standby.database.session();
      return (await readHead(session)).seq;
    };
    await expect.poll(applied, { timeout: 30_000 }).toBe(seq);
    await expectSame(c1.home, c2.standby);
  });
});

/** Another synchronizer of the same site, started by mistake. */
async function secondOf(site: SyncSite): Promise<ChildProgram> {
  const file = site.file('second.json');
  const [diagnostics, link, listen] = await Promise.all(
    Array.from({ length: 3 }, async () => ({ host: '127.0.0.1', port: await freePort() })),
  );
  const peers = site.config.peers.map((peer) => ({ ...peer, dials: true }));
  const ftp = { ...site.config.ftp, listen };
  await writeFile(file, JSON.stringify({ ...site.config, diagnostics, link, ftp, peers }));
  return new ChildProgram('services/synchronizer/main.ts', { args: ['--config', file] });
}
