import { chmod, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Dualhome, dualhome } from '../support/dualhome.ts';
import { SoftPhone } from '../support/soft-phone.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestSite } from '../support/test-site.ts';

describe('an operator', () => {
  it('pairs two running sites by a token, and configures, proves and audits them by the command', async () => {
    await using directory = await TemporaryDirectory.create();
    await chmod(directory.path, 0o755);
    await using c1 = await TestSite.create('c1', directory.path);
    await using c2 = await TestSite.create('c2', directory.path);
    await Promise.all([c1.start(), c2.start()]);
    const at1 = ['-c', c1.path, '--json'] as const;
    const before = await Promise.all([c1, c2].map(async (site) => ({ site, ...(await site.unit('api')) })));

    // Both sites take the new peer up by themselves.
    await using invite = new Dualhome(['pair', 'invite', '-c', c1.path]);
    const joined = await dualhome('pair', 'join', await invite.firstLine(), '-c', c2.path, '--json');
    expect(joined.json()).toEqual({ site: 'c2', peer: 'c1', sends: true, receives: true });
    expect(await invite.code()).toBe(0);
    for (const { site, pid = 0 } of before) await site.waitForRestart('api', pid);

    const csv = directory.file('subscribers.csv');
    const lines = Array.from({ length: 2_000 }, (_, n) => `user${n}@c1.example,c1,local national`);
    await writeFile(csv, ['aor,home_site,class_of_service', ...lines].join('\n'));
    const dryRun = await dualhome('config', 'import', 'subscriber', csv, '--dry-run', ...at1);
    expect(dryRun.json()).toMatchObject({ ok: true, rows: 2_000, seq: 0 });
    const imported = await dualhome('config', 'import', 'subscriber', csv, '--reason', 'migration', ...at1);
    expect(imported.json()).toMatchObject({ ok: true, changed: 2_000 });

    const put = ['config', 'put', 'subscriber', 'aor=alice@c1.example', 'home_site=c1'];
    const changed = await dualhome(...put, '--wait', 'applied', '--reason', 'new', ...at1);
    const done = changed.json() as { seq: number };
    expect((await c2.applied('c1')).seq).toBeGreaterThanOrEqual(done.seq);
    expect((await dualhome(...put, 'display_name=A', '--if-seq', '1', ...at1)).code).toBe(2);

    await dualhome('config', 'put', 'domain', 'name=c1.example', 'realm=c1.example', ...at1);
    await using withPassword = new Dualhome(
      ['config', 'put', 'subscriber', 'aor=bob@c1.example', 'home_site=c1', '--password', ...at1],
      {},
      'secret\n',
    );
    expect(await withPassword.code()).toBe(0);
    await using phone = await SoftPhone.open({ user: 'bob', domain: 'c1.example' }, await c1.sip());
    await expect.poll(() => phone.register(), { timeout: 60_000 }).toBe(200);

    const show = await dualhome('log', 'show', '--subject', 'subscriber/alice@c1.example', ...at1);
    expect(show.json()).toMatchObject({ events: [{ seq: done.seq }] });
    const replay = await dualhome('log', 'replay', '--until', String(done.seq - 1), ...at1);
    expect(replay.json()).toMatchObject({ seq: done.seq - 1, rows: { subscriber: 2_000 } });

    const bootstrap = await dualhome('pair', 'bootstrap', ...at1);
    expect(bootstrap.json()).toMatchObject({ kind: 'bootstrap', state: 'done' });
    const verified = await dualhome('log', 'verify', ...at1);
    expect(verified.json()).toMatchObject({ replay: { equal: true }, peers: { c2: { equal: true } } });
    expect(verified.code).toBe(0);

    const out = directory.file('out.csv');
    await dualhome('config', 'export', 'subscriber', '--format', 'csv', '-o', out, ...at1);
    expect((await readFile(out, 'utf8')).trim().split('\n')).toHaveLength(2_003);

    await c1.stop();
    const unreachable = await dualhome('status', '-c', c1.path);
    expect(unreachable).toMatchObject({ code: 3, stdout: '' });
    expect(unreachable.stderr).toContain('API_UNREACHABLE');
  });
});
