import { describe, expect, it } from 'vitest';
import { Front } from '../../../services/api/front.ts';
import { registrationLog } from '../../../services/log/definition.ts';
import { dispatchRule } from '../../../services/model/dispatch-rule.ts';
import { flow } from '../../../services/model/flow.ts';
import type { FlowRow } from '../../../services/model/flow.ts';
import { keyOf } from '../../../services/model/kind.ts';
import type { Row } from '../../../services/model/table.ts';
import { openPipeline } from '../../../services/platform/postgres/pipeline.ts';
import { FrontBed } from '../../support/front-bed.ts';
import { appendEvents } from '../../support/log.ts';
import { migrateTo, testDatabase } from '../../support/postgres.ts';
import { UdpClient } from '../../support/sip-clients.ts';
import { testServer } from '../../support/test-server.ts';
import { TestPhone } from '../../support/test-phone.ts';

const patience = { timeout: 10_000 };

/** The phone's flow as the peer c2 records it. */
const atPeer = (row: FlowRow, fields: Partial<Row> = {}): Row => ({
  ...row,
  edge: 'sip:token@192.0.2.20;lr',
  ...fields,
});

/** Applies an event of the peer c2, as the synchronizer does; returns its position as a registration here names it. */
async function applyOfPeer(bed: FrontBed, after: Row, before: Row | null = null): Promise<string> {
  await using session = await openPipeline({
    url: bed.shared.url,
    schema: 'peer_c2',
    applicationName: 'test',
  });
  const change = { key: keyOf(flow, after), before, after };
  const options = { site: 'c2', log: registrationLog };
  const { incarnation, seq } = await appendEvents(session, [{ kind: flow, changes: [change] }], options);
  await session.query('notify dualhome_peer_flows');
  return `c2 ${incarnation} ${seq}`;
}

const ownFlow = async (bed: FrontBed): Promise<FlowRow | undefined> =>
  (await bed.shared.database.query<FlowRow>('select * from own.flows')).rows[0];

describe('flows of a peer', () => {
  it('tell a registration what it was made in knowledge of, and which it supersedes when it ends', async () => {
    await using bed = await FrontBed.open();
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'bob@c2.example');
    await phone.register();
    const first = await ownFlow(bed);
    if (!first) throw new Error('no flow');
    const expiresAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000).toISOString();
    const position = await applyOfPeer(bed, atPeer(first, { expires_at: expiresAt }));
    // The refresh is recorded as soon as the front knows of the peer's flow, and not again.
    await expect
      .poll(async () => {
        await phone.register();
        return (await ownFlow(bed))?.seen;
      }, patience)
      .toEqual([position]);
    const { seq } =
      (await bed.shared.database.query<{ seq: number }>('select seq from own.log_head')).rows[0] ?? {};
    await phone.register();
    expect(await bed.shared.database.query('select from own.log where seq > $1', [seq])).toMatchObject({
      rowCount: 0,
    });
    await phone.register({ expires: 0 });
    expect(await ownFlow(bed)).toMatchObject({ gone: true, expires_at: expiresAt });
  });

  it('are there after a restart', async () => {
    await using bed = await FrontBed.open();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'bob@c2.example');
    {
      await using _front = await bed.start();
      await phone.register();
    }
    const row = await ownFlow(bed);
    if (!row) throw new Error('no flow');
    const position = await applyOfPeer(bed, atPeer(row));
    await using _again = await bed.start();
    await phone.register();
    expect(await ownFlow(bed)).toMatchObject({ seen: [position] });
  });
});

describe('dispatch rules', () => {
  const addRule = async (bed: FrontBed, fields: Row): Promise<void> => {
    await using session = await openPipeline({ url: bed.homeDatabase.url, applicationName: 'test' });
    const after = dispatchRule.schema.parse({ name: 'rule', ...fields });
    await appendEvents(session, [{ kind: dispatchRule, changes: [{ key: 'rule', before: null, after }] }]);
    await session.query('notify dualhome_log');
  };

  it('drain a processor for those they are about, and hold after a restart while home is away', async () => {
    await using bed = await FrontBed.open();
    await using client = await UdpClient.open(bed.port);
    const [drained, other] = [
      new TestPhone(client, '101@c1.example'),
      new TestPhone(client, '201@c1.example'),
    ];
    {
      await using _front = await bed.start();
      await drained.register();
      await addRule(bed, { matches: '100..199', processor: 'home', action: 'drain' });
      await expect.poll(async () => (await drained.options()).status, patience).toBe(503);
      expect((await drained.register()).status).toBe(503);
      expect((await other.register()).status).toBe(200);
      const { host, port } = bed.config.diagnostics;
      using front = new Front({ host, port });
      expect(await front.explainDispatch(drained.aor)).toMatchObject({
        basis: 'flows',
        asked: [{ owner: 'c1', serving: true }, { owner: 'c2' }],
        decidedBy: 'c1',
        drainedBy: { name: 'rule' },
      });
      expect(await front.explainDispatch(other.aor)).toMatchObject({ decidedBy: 'c1', drainedBy: null });
      expect(await front.dispatchTable()).toMatchObject({ rules: [{ name: 'rule', action: 'drain' }] });
    }
    await using _again = await bed.start({
      databases: { ...bed.config.databases, home: 'postgres://127.0.0.1:1/none' },
    });
    expect((await drained.register()).status).toBe(503);
    expect((await other.register()).status).toBe(200);
  });

  it('pin devices to a processor, whoever they belong to', async () => {
    await using bed = await FrontBed.open();
    await addRule(bed, { matches: 'c1.example', processor: 'c2', action: 'pin' });
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const phone = new TestPhone(client, 'alice@c1.example');
    await expect
      .poll(async () => {
        await phone.register();
        return bed.standby.asked.length;
      }, patience)
      .toBeGreaterThan(0);
  });
});

describe('without its database', () => {
  it('answers refreshes within what is recorded, and tells new devices to go elsewhere', async () => {
    await using server = await testServer();
    await using home = await testDatabase('config');
    await migrateTo('shared', server.url('postgres'));
    await using bed = await FrontBed.open({ urls: { home: home.url, shared: server.url('postgres') } });
    await using _front = await bed.start();
    await using client = await UdpClient.open(bed.port);
    const known = new TestPhone(client, 'alice@c1.example');
    let late = new TestPhone(client, 'late@c1.example');
    await known.register();
    await server.kill();
    expect((await known.register()).status).toBe(200);
    // A backend outlives its main process until it looks up; what it commits until then is durable, and answered so.
    let lateOnes = 0;
    const another = async (): Promise<number> => {
      late = new TestPhone(client, `late${(lateOnes += 1)}@c1.example`);
      return (await late.register()).status;
    };
    await expect.poll(another, { timeout: 30_000 }).toBe(503);
    expect((await known.register()).status).toBe(200);
    await server.start();
    await expect.poll(async () => (await late.register()).status, { timeout: 30_000 }).toBe(200);
  });
});
