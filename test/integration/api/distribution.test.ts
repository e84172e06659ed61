import { describe, expect, it } from 'vitest';
import { registrationLog } from '../../../services/log/definition.ts';
import { readHead } from '../../../services/log/head.ts';
import { flow, flowKey } from '../../../services/model/flow.ts';
import { seenText } from '../../../services/model/flow-preference.ts';
import type { Row } from '../../../services/model/table.ts';
import { openPipeline } from '../../../services/platform/postgres/pipeline.ts';
import type { Position } from '../../../services/protocol/position.ts';
import {
  distributedAorSchema,
  distributionPageSchema,
} from '../../../services/protocol/rest/distribution.ts';
import type { DistributedAor, DistributionPage } from '../../../services/protocol/rest/distribution.ts';
import { logPageSchema } from '../../../services/protocol/rest/log.ts';
import { testApi } from '../../support/api.ts';
import type { ApiDatabases, TestApi } from '../../support/api.ts';
import { aFlow } from '../../support/builders.ts';
import { appendEvents } from '../../support/log.ts';

/** Records flows in the registration log that a schema holds, one event each; returns where it ends. */
async function record({ shared }: ApiDatabases, schema: string, rows: readonly Row[]): Promise<Position> {
  await using session = await openPipeline({ url: shared.url, schema, applicationName: 'test' });
  const events = rows.map((row) => ({
    kind: flow,
    changes: [{ key: String(row['key']), before: null, after: row }],
  }));
  await appendEvents(session, events, { log: registrationLog, site: schema === 'own' ? 'c1' : 'c2' });
  return await readHead(session);
}

const list = (api: TestApi, query: Record<string, string | number> = {}): Promise<DistributionPage> =>
  api.client('viewer').request('GET', '/v1/distribution', { query, answer: distributionPageSchema });

const show = (api: TestApi, n: number): Promise<DistributedAor> =>
  api.client('viewer').request('GET', `/v1/distribution/${encodeURIComponent(String(aFlow(n)['aor']))}`, {
    answer: distributedAorSchema,
  });

describe('the distribution over HTTP', () => {
  it('says of a device that moved where it is, why, and that nothing is heard of the peer', async () => {
    await using api = await testApi();
    const { incarnation, seq } = await record(api, 'own', [aFlow(1)]);
    const seen = [seenText({ site: 'c1', incarnation, seq })];
    await record(api, 'peer_c2', [aFlow(1, { seen, source: 'tls:192.0.2.9:40000' })]);
    const { aor, owner, flows } = await show(api, 1);
    expect([aor, owner]).toEqual([aFlow(1)['aor'], 'c1']);
    expect(flows).toMatchObject([
      {
        site: 'c2',
        standing: 'preferred',
        why: `accepted later: event ${seq} of c1 was applied here then`,
        source: 'tls:192.0.2.9:40000',
        unknownSince: expect.any(String),
      },
      {
        site: 'c1',
        standing: 'superseded',
        why: `c2 accepted it later, with event ${seq} of c1 applied`,
        unknownSince: null,
      },
    ]);
    await record(api, 'peer_c2', [aFlow(1, { seen, gone: true })]);
    expect((await show(api, 1)).flows).toMatchObject([{ site: 'c1', standing: 'superseded' }]);
  });

  it('keeps both of two that did not know of each other, the latest first', async () => {
    await using api = await testApi();
    await record(api, 'own', [aFlow(1)]);
    await record(api, 'peer_c2', [aFlow(1, { registered_at: '2026-11-25T08:00:01.000Z' })]);
    expect((await show(api, 1)).flows).toMatchObject([
      { site: 'c2', standing: 'preferred', why: 'the latest of 2 accepted without knowledge of each other' },
      { site: 'c1', standing: 'alternative' },
    ]);
  });

  it('lists every address of record once, whichever site its devices are at, in pages', async () => {
    await using api = await testApi();
    const numbers = (from: number, to: number, step: number): number[] =>
      Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
    await record(
      api,
      'own',
      numbers(1, 40, 1).map((n) => aFlow(n)),
    );
    await record(api, 'peer_c2', [...numbers(30, 70, 2).map((n) => aFlow(n)), aFlow(99, { gone: true })]);
    const found: string[] = [];
    const flows: number[] = [];
    let page = await list(api, { limit: 7 });
    expect(page.sites).toMatchObject([
      { site: 'c1', flows: 39, unknownSince: null },
      { site: 'c2', flows: 20 },
    ]);
    for (;;) {
      found.push(...page.aors.map(({ aor }) => aor));
      flows.push(...page.aors.map((each) => each.flows.length));
      if (page.next === null) break;
      page = await list(api, { limit: 7, after: page.next });
    }
    const expected = [...new Set([...numbers(1, 40, 1), ...numbers(30, 70, 2)])].sort((a, b) => a - b);
    expect(found).toEqual(expected.map((n) => aFlow(n)['aor']));
    const atBoth = new Set([30, 32, 34, 36, 38]);
    expect(flows).toEqual(expected.map((n) => (atBoth.has(n) ? 2 : 1)));
    const some = await list(api, { prefix: 'user000003' });
    expect(some.aors.map(({ aor }) => aor)).toHaveLength(10);
  });

  it('does not take an address for another that it begins', async () => {
    await using api = await testApi();
    const aor = `${String(aFlow(1)['aor'])}.net`;
    const longer = { aor, key: flowKey(aor, 'phone', 0), device: 'phone' };
    await record(api, 'own', [aFlow(1), aFlow(1, longer)]);
    expect((await show(api, 1)).flows).toHaveLength(1);
    const { aors } = await list(api, { limit: 2 });
    expect(aors.map((each) => [each.aor, each.flows.length])).toEqual([
      [aFlow(1)['aor'], 1],
      [aor, 1],
    ]);
  });

  it('says where nobody is registered, and shows the log that it follows from', async () => {
    await using api = await testApi();
    await expect(show(api, 1)).rejects.toMatchObject({ code: 'DISTRIBUTION_NOT_FOUND' });
    await record(api, 'own', [aFlow(1), aFlow(2)]);
    const query = { log: 'registration', subject: `flow/${String(aFlow(2)['key'])}` };
    const page = await api
      .client('viewer')
      .request('GET', '/v1/log/events', { query, answer: logPageSchema });
    expect(page).toMatchObject({
      head: 3,
      events: [{ seq: 3, event: { type: 'registration.flow.changed', source: 'c1' } }],
    });
  });
});
