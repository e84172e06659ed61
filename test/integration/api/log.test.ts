import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readHead } from '../../../services/log/head.ts';
import { alarmListSchema } from '../../../services/protocol/rest/alarms.ts';
import { changeDoneSchema } from '../../../services/protocol/rest/changes.ts';
import {
  incarnationBegunAnswerSchema,
  incarnationListSchema,
  logPageSchema,
} from '../../../services/protocol/rest/log.ts';
import { statusSchema } from '../../../services/protocol/status.ts';
import { apiDatabases, testApi } from '../../support/api.ts';
import type { TestApi } from '../../support/api.ts';

const put = (api: TestApi, user: string, fields: object = {}) =>
  api.client().request('PUT', `/v1/config/subscriber/${user}%40c1.example`, {
    body: { home_site: 'c1', ...fields },
    answer: changeDoneSchema,
  });

const alarms = (api: TestApi, query = {}) =>
  api.client('viewer').request('GET', '/v1/alarms', { query, answer: alarmListSchema });

describe('the log over HTTP', () => {
  it('shows events in pages, by subject, and never a secret', async () => {
    await using api = await testApi();
    await put(api, 'a', { ha1_md5: 'a'.repeat(32) });
    await put(api, 'b');
    await put(api, 'a', { display_name: 'Ada' });
    const read = (query: Record<string, string | number>) =>
      api.client('viewer').request('GET', '/v1/log/events', { query, answer: logPageSchema });

    const first = await read({ limit: 2 });
    expect(first).toMatchObject({
      next: 2,
      head: 4,
      events: [{ event: { type: 'log.incarnation.begun' } }, { seq: 2 }],
    });
    expect(first.events[1]?.event).toMatchObject({ data: { rows: [{ after: { ha1_md5: '[sealed]' } }] } });
    expect((await read({ after: 2 })).events.map(({ seq }) => seq)).toEqual([3, 4]);
    const found = await read({ subject: 'subscriber/a@c1.example' });
    expect(found.events.map(({ seq }) => seq)).toEqual([2, 4]);

    const waiting = read({ after: 4, wait_seconds: 20 });
    await put(api, 'c');
    expect((await waiting).events.map(({ seq }) => seq)).toEqual([5]);
  });

  it('that was emptied is not written, alarms, and goes on in a new incarnation when an admin says so', async () => {
    await using before = await testApi();
    await put(before, 'a');
    await before.stop();
    const { witnessFile } = before.config;

    await using emptied = await apiDatabases();
    await using api = await testApi(emptied, { witnessFile });
    await expect(put(api, 'b')).rejects.toMatchObject({ code: 'LOG_RESTORED' });
    const raised = await alarms(api);
    expect(raised.alarms).toMatchObject([
      { code: 'LOG_RESTORED', subject: 'configuration', clearedAt: null },
    ]);
    const status = await api.client('viewer').request('GET', '/v1/status', { answer: statusSchema });
    expect(status).toMatchObject({ health: 'unknown', alarms: [{ code: 'LOG_RESTORED' }] });
    expect(status.warnings.join()).toContain('LOG_RESTORED');
    expect(await readHead(emptied.home.database)).toMatchObject({ seq: 0 });

    const begun = await api.client('admin').request('POST', '/v1/log/incarnations', {
      body: { reason: 'accepted' },
      answer: incarnationBegunAnswerSchema,
    });
    expect(begun.seq).toBe(1);
    expect(await put(api, 'b')).toEqual({ seq: 2, changed: true });
    expect((await alarms(api)).alarms).toEqual([]);
    expect((await alarms(api, { cleared: true })).alarms).toMatchObject([{ clearedBy: 'admin of the test' }]);
  });

  it('names in a new incarnation the position it goes on from', async () => {
    await using api = await testApi();
    const { seq } = await put(api, 'a');
    const parent = await readHead(api.home.database);
    const body = { reason: 'a drill' };
    await api
      .client('admin')
      .request('POST', '/v1/log/incarnations', { body, answer: incarnationBegunAnswerSchema });
    const { incarnations } = await api
      .client('viewer')
      .request('GET', '/v1/log/incarnations', { answer: incarnationListSchema });
    expect(incarnations).toMatchObject([
      { firstSeq: 1, parent: null },
      {
        firstSeq: seq + 1,
        parent: { incarnation: parent.incarnation, seq, hash: parent.hash.toString('hex') },
      },
    ]);
    expect(await put(api, 'b')).toEqual({ seq: seq + 2, changed: true });
  });

  it('is closed by an alarm that another program raises, and opened when it is cleared', async () => {
    await using api = await testApi();
    await put(api, 'a');
    const { database } = api.shared;
    await database.query(
      `insert into site.alarms (code, subject, detail) values ('LOG_FORKED', 'configuration', 'by the peer')`,
    );
    await expect
      .poll(() => put(api, 'b').catch((error: unknown) => error), { timeout: 10_000 })
      .toMatchObject({
        code: 'LOG_FORKED',
        detail: 'by the peer',
      });
    await database.query(`update site.alarms set cleared_at = now(), cleared_by = 'test'`);
    await expect
      .poll(() => put(api, 'c').catch((error: unknown) => error), { timeout: 10_000 })
      .toMatchObject({ seq: expect.any(Number) });
  });

  it('goes on after a restart where it was left, also when its witness is lost', async () => {
    await using databases = await apiDatabases();
    await using first = await testApi(databases);
    await put(first, 'a');
    await first.stop();
    await rm(first.config.witnessFile);
    await using second = await testApi(databases, { witnessFile: first.config.witnessFile });
    expect(await put(second, 'b')).toEqual({ seq: 3, changed: true });
  });

  it('lets only one of two apis write: the other ends', async () => {
    await using databases = await apiDatabases();
    await using first = await testApi(databases);
    await using second = await testApi(databases);
    await put(second, 'a');
    await expect(put(first, 'b')).rejects.toMatchObject({ code: 'LOG_FENCED' });
    await expect(first.ended).rejects.toMatchObject({ code: 'LOG_FENCED' });
    expect(await put(second, 'c')).toEqual({ seq: 3, changed: true });
  });
});
