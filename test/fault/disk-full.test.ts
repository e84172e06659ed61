import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { subscriber } from '../../services/model/subscriber.ts';
import { jobSchema } from '../../services/protocol/rest/jobs.ts';
import { statusSchema } from '../../services/protocol/status.ts';
import type { Direction, Status } from '../../services/protocol/status.ts';
import { ownOffer } from '../../services/site/pairing/offer.ts';
import { recordPeer } from '../../services/site/pairing/peers.ts';
import { aSubscriber } from '../support/builders.ts';
import { compareCopies } from '../support/compare-copies.ts';
import { dualhome } from '../support/dualhome.ts';
import { startSendingPair } from '../support/sending-pair.ts';
import { SmallDisk, smallDiskMissing } from '../support/small-disk.ts';
import { directionFrom, expectSame } from '../support/sync-pair.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestSite } from '../support/test-site.ts';

const both = { sends: true, receives: true };

/** Starts even on a disk that is small. */
async function anywhere({ path }: TestSite): Promise<void> {
  await writeFile(path, `${await readFile(path, 'utf8')}\nlimits:\n  disk_free_mb_min: 0\n`);
}

async function statusOf(site: TestSite): Promise<Status> {
  using api = await site.api();
  return await api.request('GET', '/v1/status', { answer: statusSchema });
}

async function toC2(site: TestSite): Promise<Direction> {
  return directionFrom(await statusOf(site), 'c1');
}

async function jobOf(site: TestSite, id: string) {
  using api = await site.api();
  return await api.request('GET', `/v1/jobs/${id}`, { answer: jobSchema });
}

describe('a receiver whose disk is full', () => {
  beforeEach(({ skip }) => skip(smallDiskMissing !== undefined, smallDiskMissing));

  it('holds up nothing but its copy, and goes on by itself when there is room', async () => {
    await using directory = await TemporaryDirectory.create();
    await chmod(directory.path, 0o755);
    await using disk = await SmallDisk.create(900);
    await using c1 = await TestSite.create('c1', directory.path);
    await using c2 = await TestSite.create('c2', disk.path);
    for (const site of [c1, c2]) await anywhere(site);
    await recordPeer(await c1.file(), await ownOffer(await c2.file()), both);
    await recordPeer(await c2.file(), await ownOffer(await c1.file()), both);
    await Promise.all([c1.start(), c2.start()]);
    await c2.waitApplied('c1', (await c1.put(subscriber, aSubscriber(1))).seq);

    await disk.fill();
    const csv = join(directory.path, 'subscribers.csv');
    const lines = Array.from({ length: 6_000 }, (_, n) => `user${n}@c1.example,c1,local national`);
    await writeFile(csv, ['aor,home_site,class_of_service', ...lines].join('\n'));
    const imported = await dualhome('config', 'import', 'subscriber', csv, '-c', c1.path, '--json');
    expect(imported.json()).toMatchObject({ ok: true, changed: 6_000 });
    await c1.waitFor('the copy to wait, and what that would lose', async () => {
      const { lane, loss } = await toC2(c1);
      return lane === 'waiting' && (loss?.changes ?? 0) > 0;
    });
    expect((await toC2(c1)).health).not.toBe('ok');
    const resync = await dualhome('resync', '--no-wait', '-c', c1.path, '--json');
    const { id } = resync.json() as { readonly id: string };
    await c1.waitFor('the resync to be refused', async () => (await jobOf(c1, id)).error !== null);
    expect((await jobOf(c1, id)).state).toBe('queued');
    const { seq } = await c1.put(subscriber, aSubscriber(2));

    await disk.empty();
    await c2.waitApplied('c1', seq);
    await c1.waitFor('the resync', async () => (await jobOf(c1, id)).state === 'done');
    expect(await compareCopies(c1, c2)).toMatchObject({ equal: true });
    for (const site of [c1, c2])
      await site.waitFor('good health', async () => (await toC2(site)).health === 'ok');
    for (const site of [c1, c2]) expect((await statusOf(site)).alarms).toEqual([]);
  });

  it('in the middle of a snapshot takes nothing of it, and takes the next one when there is room', async () => {
    await using disk = await SmallDisk.create(320);
    await using pair = await startSendingPair((receiver) => {
      receiver.config = {
        ...receiver.config,
        spool: { ...receiver.config.spool, incoming: join(disk.path, 'spool') },
      };
    });
    const { c1, c2, data } = pair;
    await c2.applied((await c1.append(1, { first: 20_000 })).seq);
    data.stall();
    const id = await c1.request('resync');
    await expect.poll(async () => (await c1.job(id)).phase).toBe('copying');
    await disk.fill();
    data.resume();
    const codeOf = async () => (await c1.job(id)).error?.code;
    await expect.poll(codeOf, { timeout: 30_000 }).toMatch(/FTP_STORAGE_FULL|TRANSFER_NO_SPACE/);
    expect((await c1.job(id)).state).not.toBe('failed');
    await disk.empty();
    expect(await c1.ended(id)).toMatchObject({ state: 'done' });
    await expectSame(c1.home, c2.standby);
  });
});
