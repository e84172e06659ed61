import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { subscriber } from '../../services/model/subscriber.ts';
import { statusSchema } from '../../services/protocol/status.ts';
import { aSubscriber } from '../support/builders.ts';
import { compareCopies } from '../support/compare-copies.ts';
import { Dualhome, dualhome } from '../support/dualhome.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestSite } from '../support/test-site.ts';

/** As an operator does it: at the site that is copied, then at the one that keeps the copy. */
async function pair(site: TestSite, holder: TestSite): Promise<void> {
  await using invite = new Dualhome(['pair', 'invite', '--direction', 'to-peer', '-c', site.path]);
  const joined = await dualhome('pair', 'join', await invite.firstLine(), '-c', holder.path, '--json');
  expect(joined.json()).toEqual({ site: holder.name, peer: site.name, sends: false, receives: true });
  expect(await invite.code()).toBe(0);
}

/** Both links are up: the site has taken up its peers, and programs have started anew for the last time. */
async function linked(site: TestSite): Promise<void> {
  await site.waitFor('its two links', async () => {
    using api = await site.api();
    const status = await api.request('GET', '/v1/status', { answer: statusSchema }).catch(() => undefined);
    return status?.peers.filter(({ link }) => link.state === 'up').length === 2;
  });
}

/** Whose copies a site keeps: by its databases, and by their directories. */
async function copiesAt(site: TestSite): Promise<readonly string[]> {
  const units = (await site.state()).units.map(({ name }) => name);
  const directories = await readdir(join(site.layout.dataDir, 'postgres'));
  const standbys = (names: readonly string[]) => names.filter((name) => name.startsWith('standby_')).sort();
  expect(standbys(directories)).toEqual(standbys(units));
  return standbys(units);
}

describe('three sites in a ring', () => {
  it('are each copied by the next one, and by no other', async () => {
    await using directory = await TemporaryDirectory.create();
    await chmod(directory.path, 0o755);
    await using c1 = await TestSite.create('c1', directory.path);
    await using c2 = await TestSite.create('c2', directory.path);
    await using c3 = await TestSite.create('c3', directory.path);
    const ways = [
      [c1, c2],
      [c2, c3],
      [c3, c1],
    ] as const;
    await Promise.all([c1, c2, c3].map((site) => site.start()));
    for (const [site, holder] of ways) await pair(site, holder);

    for (const [site] of ways) await linked(site);
    for (const [number, [site, holder]] of ways.entries()) {
      const row = aSubscriber(number, { home_site: site.name });
      const { seq } = await site.put(subscriber, row, { wait: 'applied' });
      expect((await holder.applied(site.name)).seq).toBeGreaterThanOrEqual(seq);
      expect(await copiesAt(holder)).toEqual([`standby_${site.name}`]);
    }
    for (const [site, holder] of ways) {
      const bootstrap = await dualhome('pair', 'bootstrap', '--peer', holder.name, '-c', site.path, '--json');
      expect(bootstrap.json()).toMatchObject({ state: 'done', result: { resync: { rows: 2 } } });
      expect(await compareCopies(site, holder)).toMatchObject({ equal: true });
    }
    const pulled = await dualhome('pull', '-c', c2.path, '--json');
    expect(pulled.json()).toMatchObject({ peer: 'c1', state: 'done' });
    const verified = await dualhome('log', 'verify', '-c', c1.path, '--json');
    expect(verified.json()).toMatchObject({ peers: { c2: { equal: true } } });
    const status = await dualhome('status', '-c', c1.path);
    expect(status.stdout).toMatch(/^configuration +c1 -> c2 +ok/m);
    expect(status.stdout).toMatch(/^configuration +c3 -> c1 +ok/m);
    expect(status.stdout).not.toMatch(/configuration +(c1 -> c3|c2 -> c1)/);
    for (const way of ['c1 -> c2', 'c2 -> c1', 'c1 -> c3', 'c3 -> c1'])
      expect(status.stdout).toMatch(new RegExp(`^registration +${way} `, 'm'));
  });
});
