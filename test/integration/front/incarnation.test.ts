import { expect, it } from 'vitest';
import { Front } from '../../../services/api/front.ts';
import { FrontBed } from '../../support/front-bed.ts';
import { rewind } from '../../support/rewind.ts';
import { UdpClient } from '../../support/sip-clients.ts';
import { TestPhone } from '../../support/test-phone.ts';

const patience = { timeout: 10_000 };
const cause = { actor: { name: 'operator', role: 'admin' }, reason: 'restored' } as const;

/** As if the database had been restored from a backup that ends at `seq`. */
async function restore({ shared }: FrontBed, seq: number): Promise<void> {
  await rewind(shared, seq, 'own');
  await shared.database.transaction(async (tx) => {
    await tx.query('set local session_replication_role = replica');
    await tx.query('delete from own.flows where seq > $1', [seq]);
  });
}

const openAlarms = async ({ shared }: FrontBed): Promise<unknown> =>
  (await shared.database.query('select code, subject from site.alarms where cleared_at is null')).rows;

const registered = async ({ shared }: FrontBed): Promise<readonly string[]> =>
  (await shared.database.query<{ aor: string }>('select aor from own.flows order by aor')).rows.map(
    ({ aor }) => aor,
  );

const client = ({ config }: FrontBed): Front => new Front(config.diagnostics);

it('a registration log that was restored is not written until an operator begins a new incarnation', async () => {
  await using bed = await FrontBed.open();
  await using sockets = await UdpClient.open(bed.port);
  const [kept, lost] = [new TestPhone(sockets, 'kept@c1.example'), new TestPhone(sockets, 'lost@c1.example')];
  {
    await using _front = await bed.start();
    await kept.register();
    await lost.register();
  }
  await restore(bed, 2);
  await using _again = await bed.start();
  await expect.poll(() => openAlarms(bed)).toEqual([{ code: 'LOG_RESTORED', subject: 'registration' }]);
  expect((await lost.register()).status).toBe(503);
  // What is recorded is still served.
  expect((await kept.register()).status).toBe(200);

  using front = client(bed);
  expect(await front.beginIncarnation(cause)).toMatchObject({ seq: 3 });
  expect(await openAlarms(bed)).toEqual([]);
  expect((await lost.register()).status).toBe(200);
  expect(await registered(bed)).toEqual(['kept@c1.example', 'lost@c1.example']);
  const { rows } = await bed.shared.database.query(
    'select first_seq, parent_seq, reason from own.incarnations order by first_seq',
  );
  expect(rows).toEqual([
    { first_seq: 1, parent_seq: null, reason: 'first start' },
    { first_seq: 3, parent_seq: 2, reason: 'restored' },
  ]);
});

it('a front that was running while its database was restored knows afterwards what is recorded', async () => {
  await using bed = await FrontBed.open();
  await using _front = await bed.start();
  await using sockets = await UdpClient.open(bed.port);
  const [kept, lost] = [new TestPhone(sockets, 'kept@c1.example'), new TestPhone(sockets, 'lost@c1.example')];
  await kept.register();
  for (const phone of [lost, lost, lost]) {
    await phone.register();
    await phone.register({ expires: 0 });
  }
  await lost.register();
  await restore(bed, 2);
  await bed.shared.database.query(
    `insert into site.alarms (code, subject, detail, facts) values ('LOG_RESTORED', 'registration', 'as a peer says', '{}')`,
  );
  await expect.poll(async () => (await lost.register({ expires: 0 })).status, patience).toBe(503);

  using front = client(bed);
  await front.beginIncarnation(cause);
  // It is bound anew, by an event before the one that bound it in the history that was given up.
  const answer = await lost.register();
  expect(answer.status).toBe(200);
  expect(await registered(bed)).toEqual(['kept@c1.example', 'lost@c1.example']);
  expect((await lost.register({ expires: 0 })).status).toBe(200);
  expect(await registered(bed)).toEqual(['kept@c1.example']);
});
