import { describe, expect, it } from 'vitest';
import type { FlowRow } from '../../../services/model/flow.ts';
import { FrontBed } from '../../support/front-bed.ts';
import { StreamClient, UdpClient } from '../../support/sip-clients.ts';
import { TestPhone } from '../../support/test-phone.ts';

const patience = { timeout: 10_000 };

const flowsOf = async (bed: FrontBed): Promise<readonly FlowRow[]> =>
  (await bed.shared.database.query<FlowRow>('select * from own.flows order by key')).rows;

const headOf = async (bed: FrontBed): Promise<number> =>
  (await bed.shared.database.query<{ seq: number }>('select seq from own.log_head')).rows[0]?.seq ?? 0;

describe('a registration', () => {
  it('is recorded before it is answered, as an event and a flow', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'alice@c1.example');
    const before = await headOf(bed);
    expect((await phone.register({ credentials: false })).value('www-authenticate')).toContain(
      'nonce="nonce"',
    );
    const answer = await phone.register();
    expect(answer.status).toBe(200);
    expect(answer.value('contact')).toBe(`${phone.contact};expires=600`);
    expect(await headOf(bed)).toBe(before + 1);
    expect(await flowsOf(bed)).toMatchObject([
      { aor: phone.aor, owner: 'c1', device: 'contact:sip:phone@127.0.0.1', gone: false, reg_id: 0 },
    ]);
  });

  it('is not recorded again by refreshes within the time it is recorded for', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'alice@c1.example');
    await phone.register();
    const recorded = await headOf(bed);
    for (let i = 0; i < 3; i++) expect((await phone.register()).status).toBe(200);
    expect(await headOf(bed)).toBe(recorded);
    expect((await phone.register({ callId: 'another' })).status).toBe(200);
    expect(await headOf(bed)).toBe(recorded + 1);
  });

  it('ends when the device says so; a probe of one that is not here changes nothing', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'alice@c1.example');
    const probed = await phone.register({ expires: 0 });
    expect([probed.status, probed.value('contact')]).toEqual([200, undefined]);
    const before = await headOf(bed);
    await phone.register();
    expect((await phone.register({ expires: 0 })).status).toBe(200);
    expect(await headOf(bed)).toBe(before + 2);
    expect(await flowsOf(bed)).toEqual([]);
  });

  it('survives a restart of the front, which loses nothing it had answered', async () => {
    await using bed = await FrontBed.open();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'alice@c1.example');
    {
      await using _front = await bed.start();
      await phone.register();
    }
    const recorded = await headOf(bed);
    await using _again = await bed.start();
    const listed = await phone.register({ contact: '' });
    expect(listed.value('contact')).toContain(phone.contact);
    expect((await phone.register()).status).toBe(200);
    expect(await headOf(bed)).toBe(recorded);
  });

  it('after a restart knows the CSeq that was recorded, not those of refreshes that were not', async () => {
    await using bed = await FrontBed.open();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'alice@c1.example');
    const at = async (cseq: number): Promise<number> => (await phone.register({ cseq })).status;
    {
      await using _front = await bed.start();
      expect(await at(10)).toBe(200);
      expect(await at(20)).toBe(200);
      expect(await at(15)).toBe(500);
    }
    await using _again = await bed.start();
    expect(await at(10)).toBe(500);
    expect(await at(15)).toBe(200);
    expect(await at(14)).toBe(500);
  });

  it('over an outbound connection ends with the connection', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await StreamClient.openTcp(bed.port);
    const phone = new TestPhone(client, 'alice@c1.example');
    const contact = `${phone.contact};+sip.instance="<urn:uuid:1>";reg-id=1`;
    const answer = await phone.register({ contact, fields: ['Supported: outbound, path'] });
    expect(answer.value('require')).toBe('outbound');
    expect(answer.value('contact')).toBe(
      `${phone.contact};expires=600;+sip.instance="<urn:uuid:1>";reg-id=1`,
    );
    client.socket.destroy();
    await expect.poll(() => flowsOf(bed), patience).toEqual([]);
    const { rows } = await bed.shared.database.query<{ body: Buffer }>(
      'select body from own.log order by seq desc limit 1',
    );
    expect(JSON.parse(String(rows[0]?.body))).toMatchObject({ data: { reason: 'connection lost' } });
  });
});

describe('dispatch', () => {
  it('asks the standby where home does not know, and remembers', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'bob@c2.example');
    await phone.register({ credentials: false });
    await phone.register();
    expect([bed.home.asked.length, bed.standby.asked.length]).toEqual([1, 2]);
    expect(await flowsOf(bed)).toMatchObject([{ aor: phone.aor, owner: 'c2' }]);
  });

  it('answers whom nobody knows as one with a wrong password', async () => {
    await using bed = await FrontBed.open();
    const challenge = {
      kind: 'challenge',
      realm: 'c1.example',
      nonce: 'x',
      algorithm: 'MD5',
      stale: false,
    } as const;
    bed.home.decide = () => ({ kind: 'not-mine', challenge });
    bed.standby.decide = () => ({ kind: 'not-mine', challenge: null });
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    expect((await new TestPhone(client, 'nobody@c1.example').register()).status).toBe(401);
    bed.home.decide = bed.standby.decide;
    expect((await new TestPhone(client, 'nobody@elsewhere.example').register()).status).toBe(404);
  });

  it('while a processor is away tells its devices 503 after its grace, and nobody else', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using homeClient = await UdpClient.open(bed.port);
    await using standbyClient = await UdpClient.open(bed.port);
    const [alice, bob] = [
      new TestPhone(homeClient, 'alice@c1.example'),
      new TestPhone(standbyClient, 'bob@c2.example'),
    ];
    await alice.register();
    await bob.register();
    expect([(await alice.options()).status, (await bob.options()).status]).toEqual([200, 200]);
    await bed.home.stop();
    const refused = alice.register();
    expect((await bob.register()).status).toBe(200);
    const { status, ...answer } = await refused.then((response) => ({
      status: response.status,
      retryAfter: response.value('retry-after'),
    }));
    expect([status, answer.retryAfter]).toEqual([503, undefined]);
    expect([(await alice.options()).status, (await bob.options()).status]).toEqual([503, 200]);
    await bed.home.start();
    await expect.poll(async () => (await alice.options()).status, patience).toBe(200);
    expect((await alice.register()).status).toBe(200);
  });

  it('while the standby is not ready: tells a neighbour how home is, and a stranger nothing', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const probe = new TestPhone(client, 'dispatcher@localhost');
    const alice = new TestPhone(client, 'alice@c1.example');
    expect((await probe.options()).status).toBe(200);
    bed.standby.announce({ serving: false, reason: 'PROCESSOR_STANDBY_UNPROVEN' });
    bed.standby.decide = () => ({ kind: 'refused', status: 503, reason: 'Service Unavailable' });
    expect([(await probe.options()).status, (await alice.options()).status]).toEqual([503, 200]);
    const { decide } = bed.home;
    bed.home.decide = (facts) =>
      facts.kind === 'neighbour' ? { kind: 'neighbour', name: 'c3' } : decide(facts);
    expect((await probe.options()).status).toBe(200);
    expect(bed.home.asked.at(-1)).toMatchObject({
      kind: 'neighbour',
      source: { transport: 'udp', address: '127.0.0.1', port: client.port },
    });
    bed.home.announce({ serving: false, reason: 'PROCESSOR_DATABASE_SILENT' });
    await expect.poll(async () => (await probe.options()).status, patience).toBe(503);
  });

  it('while home is not ready: serves devices of the standby that were never here', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    bed.home.decide = () => ({ kind: 'refused', status: 503, reason: 'Service Unavailable' });
    expect((await new TestPhone(client, 'bob@c2.example').register()).status).toBe(200);
  });

  it('waits for a processor that comes back in time', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'alice@c1.example');
    await phone.register();
    await bed.home.stop();
    const answer = phone.register();
    await bed.home.start();
    expect((await answer).status).toBe(200);
  });

  it('takes one that does not answer for one that is away', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'alice@c1.example');
    await phone.register();
    const { decide } = bed.home;
    bed.home.decide = () => undefined;
    expect((await phone.register()).status).toBe(503);
    expect((await phone.options()).status).toBe(503);
    bed.home.decide = decide;
    await expect.poll(async () => (await phone.options()).status, patience).toBe(200);
  });
});
