import { chmod, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { subscriber } from '../../services/model/subscriber.ts';
import { statusSchema } from '../../services/protocol/status.ts';
import { aSubscriber } from '../support/builders.ts';
import { compareCopies } from '../support/compare-copies.ts';
import { Dualhome, dualhome } from '../support/dualhome.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestSite } from '../support/test-site.ts';
import { TwoSites } from '../support/two-sites.ts';

const ha1 = 'a'.repeat(32);

/** The state that an operator sees at a site: rows, secrets aside. */
async function subscribersAt(site: TestSite, database: string): Promise<readonly unknown[]> {
  const { rows } = await (await site.database(database)).query('select * from subscribers order by aor');
  return rows;
}

describe('a site whose machine is lost', () => {
  it('comes back on a new one from what its peer holds, with its history and its secrets', async () => {
    await using pair = await TwoSites.start();
    const { c1, c2 } = pair;
    for (let n = 1; n <= 20; n += 1) await c1.put(subscriber, aSubscriber(n));
    const { seq } = await c1.put(subscriber, aSubscriber(1, { ha1_md5: ha1 }));
    await c2.waitApplied('c1', seq);
    const lost = await subscribersAt(c1, 'home');
    const sealingKey = await readFile(c1.layout.secrets.sealingKey, 'utf8');
    await using elsewhere = await TemporaryDirectory.create();
    await chmod(elsewhere.path, 0o755);
    const copy = elsewhere.file('copy');
    const saved = await dualhome('site', 'save-copy', 'c1', '--to', copy, '-c', c2.path, '--json');
    expect(saved.json()).toMatchObject({ site: 'c1', seq, completeFrom: 1 });
    const rebuild = (site: TestSite, ...more: string[]) =>
      dualhome('site', 'rebuild', copy, '-c', site.path, '--reason', 'lost', '--json', ...more);
    expect((await rebuild(c1)).stderr).toContain('SITE_RUNNING');
    expect((await rebuild(c2)).stderr).toContain('SITE_COPY_UNUSABLE');
    await c1.stop();

    await using anew = await TestSite.create('c1', elsewhere.path);
    const rebuilt = await rebuild(anew);
    expect(rebuilt.json()).toMatchObject({
      site: 'c1',
      holder: 'c2',
      seq,
      events: seq,
      head: { seq: seq + 1 },
    });
    expect(await readFile(anew.layout.secrets.sealingKey, 'utf8')).toBe(sealingKey);
    expect((await rebuild(anew)).stderr).toContain('SITE_HOME_NOT_EMPTY');
    expect((await rebuild(anew, '--replace')).json()).toMatchObject({ seq });

    await anew.start();
    const kept = `select from pg_database where datname like 'home_until_%'`;
    expect((await (await anew.database('home')).query(kept)).rowCount).toBe(1);
    expect(await subscribersAt(anew, 'home')).toEqual(lost);
    expect((await dualhome('pair', 'remove', 'c1', '-c', c2.path)).code).toBe(0);
    await using invite = new Dualhome(['pair', 'invite', '-c', c2.path]);
    await dualhome('pair', 'join', await invite.firstLine(), '-c', anew.path);
    expect(await invite.code()).toBe(0);
    await anew.waitFor('the link', async () => {
      const status = await dualhome('status', '-c', anew.path, '--json');
      return status.stdout !== '' && statusSchema.parse(status.json()).peers[0]?.link.state === 'up';
    });
    // Who was registered at the old machine is given up; devices register anew.
    const reason = ['--log', 'registration', '--reason', 'lost', '-c', c2.path, '--json'];
    expect((await dualhome('pair', 'accept', 'c1', ...reason)).json()).toMatchObject({ state: 'done' });
    await anew.put(subscriber, aSubscriber(21), { wait: 'applied' });
    expect(await c2.applied('c1')).toEqual(await anew.head());
    expect(await compareCopies(anew, c2)).toMatchObject({ equal: true });
    for (const site of [anew, c2]) {
      const shared = await site.database('shared');
      const open = async () =>
        (await shared.query('select from site.alarms where cleared_at is null')).rowCount;
      await site.waitFor('no alarm', async () => (await open()) === 0);
    }
  }, 240_000);
});
