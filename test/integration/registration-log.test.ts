import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { registrationLog } from '../../services/log/definition.ts';
import { rowsChangedEvent } from '../../services/log/events.ts';
import type { Planner } from '../../services/log/planner.ts';
import { verifyChain } from '../../services/log/verify-chain.ts';
import { readWitness } from '../../services/log/witness.ts';
import { WrittenLog } from '../../services/log/written-log.ts';
import { flow } from '../../services/model/flow.ts';
import { keyOf } from '../../services/model/kind.ts';
import type { Row } from '../../services/model/table.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import { openDatabase } from '../../services/platform/postgres/database.ts';
import { listen } from '../../services/platform/postgres/listen.ts';
import { ownSchema } from '../../services/protocol/names.ts';
import { applyAccess } from '../../services/site/databases/access.ts';
import { roleName } from '../../services/site/databases/plan.ts';
import { aFlow } from '../support/builders.ts';
import { testDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const applicationName = 'dualhome front';

/** Each request is a flow as it shall be from now on; answered with the seq of its event. */
const planner: Planner<Row, number> = {
  wanted: (row) => ({ table: flow.table, keys: [keyOf(flow, row)] }),
  plan: (row, rowOf, slot) => {
    const key = keyOf(flow, row);
    const change = { key, before: rowOf(key)?.row ?? null, after: row };
    const actor = { name: String(row['aor']), role: 'device', from: String(row['source']) } as const;
    const event = rowsChangedEvent(registrationLog, flow, [change], {
      site: 'c1',
      actor,
      reason: '',
      ...slot,
    });
    return { answer: slot.seq, change: { event, table: flow.table, rows: [{ key, row }] } };
  },
};

/** URL of the shared database as the front's role, which is dropped at the end. */
async function asFront(shared: TestDatabase): Promise<AsyncDisposable & { readonly url: string }> {
  const site = `t${randomBytes(6).toString('hex')}`;
  const role = roleName(site, 'front');
  await using session = await shared.database.session();
  await applyAccess(session, {
    site,
    kind: 'shared',
    peers: ['c2'],
    passwordOf: () => new Secret('password'),
  });
  const url = new URL(shared.url);
  [url.username, url.password] = [role, 'password'];
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      for (const program of ['front', 'api', 'synchronizer'] as const) {
        await shared.database.query(`reassign owned by ${roleName(site, program)} to postgres`);
        await shared.database.query(`drop owned by ${roleName(site, program)}`);
        await shared.database.query(`drop role ${roleName(site, program)}`);
      }
    },
  };
}

it('flows are appended to the registration log by the role of the front, and folded into its table', async () => {
  await using shared = await testDatabase('shared');
  await using directory = await TemporaryDirectory.create();
  await using front = await asFront(shared);
  await using alarms = openDatabase({ url: front.url, applicationName });
  const heard: string[] = [];
  await using _listener = listen({
    url: front.url,
    applicationName,
    channels: ['dualhome_registrations'],
    onNotify: (_channel, seq) => heard.push(seq),
  });
  const witnessFile = directory.file('registrations.json');
  const open = async (): Promise<WrittenLog<Row, number>> => {
    const log = new WrittenLog<Row, number>({
      definition: registrationLog,
      site: 'c1',
      url: front.url,
      schema: ownSchema,
      applicationName,
      planner,
      witnessFile,
      shared: alarms,
      onTrouble: () => undefined,
      onState: () => undefined,
    });
    await log.check();
    return log;
  };
  {
    await using log = await open();
    const seqs = await Promise.all(Array.from({ length: 100 }, (_, n) => log.submit(aFlow(n), 500)));
    expect(seqs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n + 2));
  }
  {
    await using log = await open();
    expect(await log.submit(aFlow(7, { gone: true, seen: [] }), 500)).toBe(102);
  }

  await using own = openDatabase({ url: front.url, schema: ownSchema, applicationName });
  await expect(own.query('delete from flows')).rejects.toThrow('is changed only together with an event');
  const { rows } = await shared.database.query(
    `select count(*) as flows, count(*) filter (where gone) as gone from own.flows`,
  );
  expect(rows).toEqual([{ flows: 100, gone: 1 }]);
  await using all = openDatabase({ url: shared.url, schema: ownSchema, applicationName });
  expect(await verifyChain(all)).toEqual({ from: 1, to: 102, events: 102 });
  expect(await readWitness(witnessFile)).toMatchObject({ seq: 102 });
  await expect.poll(() => heard.at(-1)).toBe('102');
});
