import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readHead } from '../../../services/log/head.ts';
import { changeDoneSchema } from '../../../services/protocol/rest/changes.ts';
import { configPageSchema, configRowSchema } from '../../../services/protocol/rest/config.ts';
import { kindListSchema } from '../../../services/protocol/rest/kinds.ts';
import type { Role } from '../../../services/protocol/program-config.ts';
import { testApi, tokenOf } from '../../support/api.ts';

const alice = { home_site: 'c1', backup_site: 'c2', ha1_md5: '0123456789abcdef0123456789abcdef' };
const pathOf = (user: string) => `/v1/config/subscriber/${user}%40c1.example`;
const path = pathOf('alice');
const done = { answer: changeDoneSchema };
const row = { answer: configRowSchema };

describe('the configuration over HTTP', () => {
  it('keeps a row that was put, with its event, and never shows its secret', async () => {
    await using api = await testApi();
    const client = api.client();
    expect(await client.request('PUT', path, { body: alice, ...done })).toEqual({ seq: 2, changed: true });
    expect(await client.request('GET', path, row)).toMatchObject({
      kind: 'subscriber',
      key: 'alice@c1.example',
      seq: 2,
      row: { aor: 'alice@c1.example', home_site: 'c1', ha1_md5: '[sealed]', ha1_sha256: null },
    });
    expect(await readHead(api.home.database)).toMatchObject({ seq: 2 });
    const { rows } = await api.home.database.query<{ body: Buffer }>('select body from log');
    expect(rows.some(({ body }) => body.includes(alice.ha1_md5))).toBe(false);
  });

  it('makes no event for what changes nothing, and keeps a secret that is given back as its mark', async () => {
    await using api = await testApi();
    const client = api.client();
    await client.request('PUT', path, { body: alice, ...done });
    const same = { seq: 2, changed: false };
    expect(await client.request('PUT', path, { body: alice, ...done })).toEqual(same);
    expect(await client.request('PUT', path, { body: { ...alice, ha1_md5: '[sealed]' }, ...done })).toEqual(
      same,
    );
    expect(await client.request('DELETE', pathOf('bob'), done)).toEqual({ seq: 0, changed: false });
    expect(await client.request('DELETE', path, done)).toEqual({ seq: 3, changed: true });
    await expect(client.request('GET', path, row)).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
  });

  it('lets one of many stale edits win', async () => {
    await using api = await testApi();
    const client = api.client();
    const { seq } = await client.request('PUT', path, { body: alice, ...done });
    const edits = Array.from({ length: 8 }, (_, i) =>
      client.request('PUT', path, {
        body: { ...alice, area_code: String(i + 1) },
        query: { if_seq: seq },
        ...done,
      }),
    );
    const ends = await Promise.allSettled(edits);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    for (const reason of refused) {
      expect(reason).toMatchObject({ code: 'CONFIG_STALE', facts: { current: { seq: seq + 1 } } });
    }
    const create = { body: alice, query: { if_seq: 0 }, ...done };
    await expect(client.request('PUT', path, create)).rejects.toMatchObject({ code: 'CONFIG_STALE' });
    expect(await client.request('PUT', pathOf('bob'), create)).toMatchObject({ changed: true });
  });

  it('lists every field that is wrong', async () => {
    await using api = await testApi();
    const body = { area_code: 'x', nope: 1 };
    await expect(api.client().request('PUT', path, { body, ...done })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      facts: {
        errors: ['/home_site', '/area_code', '/nope'].map((each) => expect.objectContaining({ path: each })),
      },
    });
  });

  it('lists rows in pages, by prefix and by range', async () => {
    await using api = await testApi();
    const client = api.client();
    for (const user of ['a1', 'a2', 'a3', 'b1', 'c1']) {
      await client.request('PUT', pathOf(user), { body: { home_site: 'c1' }, ...done });
    }
    const list = async (query: Record<string, string | number>) => {
      const page = await client.request('GET', '/v1/config/subscriber', { query, answer: configPageSchema });
      return { users: page.rows.map(({ key }) => key.split('@')[0]), next: page.next };
    };
    expect(await list({ limit: 2 })).toEqual({ users: ['a1', 'a2'], next: 'a2@c1.example' });
    expect(await list({ limit: 2, after: 'a2@c1.example' })).toEqual({
      users: ['a3', 'b1'],
      next: 'b1@c1.example',
    });
    expect(await list({ prefix: 'a' })).toEqual({ users: ['a1', 'a2', 'a3'], next: null });
    expect(await list({ from: 'a3', to: 'c' })).toEqual({ users: ['a3', 'b1'], next: null });
  });

  it('opens to whom their role permits', async () => {
    await using api = await testApi();
    const put = (role: Role) => api.client(role).request('PUT', path, { body: { home_site: 'c1' }, ...done });
    const begin = (role: Role) =>
      api
        .client(role)
        .request('POST', '/v1/log/incarnations', { body: { reason: 'x' }, answer: z.unknown() });
    await expect(put('viewer')).rejects.toMatchObject({ code: 'API_FORBIDDEN' });
    await expect(begin('operator')).rejects.toMatchObject({ code: 'API_FORBIDDEN' });
    expect(await put('operator')).toMatchObject({ changed: true });
    expect(await put('admin')).toMatchObject({ changed: false });
    expect(await api.client('viewer').request('GET', path, row)).toMatchObject({ seq: 2 });
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const answer = await fetch(`${api.url}${path}`, { headers });
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    }
  });

  it('describes itself and what can be configured', async () => {
    await using api = await testApi();
    const openapi = z.object({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) });
    const described = await api.client('viewer').request('GET', '/openapi.json', { answer: openapi });
    expect(described.openapi).toMatch(/^3\.1/);
    expect(Object.keys(described.paths)).toEqual(
      expect.arrayContaining(['/v1/changes', '/v1/config/{kind}/{key}', '/v1/import/{kind}', '/v1/jobs']),
    );
    const { kinds } = await api.client('viewer').request('GET', '/v1/kinds', { answer: kindListSchema });
    expect(kinds.map(({ kind, key }) => [kind, key])).toContainEqual(['subscriber', 'aor']);
  });

  it('says who changed what and why in each event', async () => {
    await using api = await testApi();
    const query = { reason: 'new customer' };
    await api.client().request('PUT', path, { body: { home_site: 'c1' }, query, ...done });
    const { rows } = await api.home.database.query<{ body: Buffer }>('select body from log where seq = 2');
    expect(JSON.parse(String(rows[0]?.body))).toMatchObject({
      source: 'c1',
      subject: 'subscriber/alice@c1.example',
      data: {
        actor: { name: 'operator of the test', role: 'operator', from: '127.0.0.1' },
        reason: 'new customer',
      },
    });
  });

  it('refuses keys that no row can have, without harm to others', async () => {
    await using api = await testApi();
    const headers = { authorization: `Bearer ${tokenOf('operator').reveal()}` };
    const answer = await fetch(`${api.url}/v1/config/subscriber/a%00b`, { headers });
    expect(answer.status).toBe(400);
    const long = await fetch(`${api.url}/v1/config/subscriber/${'a'.repeat(400)}`, { headers });
    expect(long.status).toBe(404);
  });
});
