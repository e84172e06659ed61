import { describe, expect, it } from 'vitest';
import { readHead } from '../../services/log/head.ts';
import { SyncPair } from '../support/sync-pair.ts';
import { appendForeign, domainWithoutRealm } from '../support/unapplicable-events.ts';

const fromTheFuture = (body: Buffer): Buffer =>
  Buffer.from(body.toString().replace('urn:dualhome:event:1', 'urn:dualhome:event:9'));

/** The last seq the standby of c1 holds. */
async function heldSeq({ c2 }: SyncPair): Promise<number> {
  await using session = await c2.standby.database.session();
  return (await readHead(session)).seq;
}

describe('an event that cannot be applied', () => {
  it('parks the lane at exactly that event, however large the batch it came in', async () => {
    await using pair = await SyncPair.create();
    const { c1, c2 } = pair;
    await c1.append(150);
    await appendForeign(c1, (head) => [
      { timeMs: Date.now(), body: fromTheFuture(domainWithoutRealm(head).body) },
    ]);
    await c1.append(50, { first: 500 });
    await Promise.all([c1.start(), c2.start()]);
    const direction = await c2.parked('EVENT_UNREADABLE');
    expect(direction).toMatchObject({ applied: 151, eventsBehind: 51, health: 'halted' });
    expect(direction.trouble?.detail).toContain('Event 152');
    expect(await heldSeq(pair)).toBe(151);
    await c2.alarmsAre('EVENT_UNREADABLE c1/configuration');
    // Both sites say the same.
    await c1.statusWhen(
      'parked there',
      ({ peers }) =>
        peers[0]?.directions.find(({ from }) => from === 'c1')?.trouble?.code === 'EVENT_UNREADABLE',
    );
  });

  it('goes on from there by itself when the cause is gone', async () => {
    await using pair = await SyncPair.create();
    const { c1, c2 } = pair;
    await c1.append(100);
    await appendForeign(c1, (head) => [domainWithoutRealm(head)]);
    const { seq } = await c1.append(50, { first: 500 });
    await Promise.all([c1.start(), c2.start()]);
    const { trouble } = await c2.parked('LINK_EVENT_REFUSED');
    expect(trouble?.detail).toContain('realm');
    expect(await heldSeq(pair)).toBe(101);
    await c2.standby.database.query('alter table domains alter column realm drop not null');
    pair.network.cut('rst');
    await c2.applied(seq);
    await c2.alarmsAre();
    await expect.poll(async () => (await c2.receiving()).health).toBe('unproven');
  });

  it('is found out when it was altered at home after it was written: the chain does not hold', async () => {
    await using pair = await SyncPair.create();
    const { c1, c2 } = pair;
    await c1.append(100);
    await c1.home.database.transaction(async (tx) => {
      await tx.query('alter table log disable trigger user');
      await tx.query(
        `update log set body = overlay(body placing 'X'::bytea from octet_length(body) - 20) where seq = 57`,
      );
      await tx.query('alter table log enable trigger user');
    });
    await Promise.all([c1.start(), c2.start()]);
    await c2.parked('LOG_BROKEN');
    expect(await heldSeq(pair)).toBeLessThan(57);
    await c2.alarmsAre('LOG_BROKEN c1/configuration');
  });
});
