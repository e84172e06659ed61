import { describe, expect, it } from 'vitest';
import { readHead } from '../../../services/log/head.ts';
import { changeDoneSchema } from '../../../services/protocol/rest/changes.ts';
import { testApi, tokenOf } from '../../support/api.ts';
import { NdjsonRequest } from '../../support/ndjson-client.ts';

const put = (n: number, fields: object = {}) => ({
  op: 'put',
  kind: 'number',
  row: { number: `+49${n}`, aor: `u${n}@c1.example`, ...fields },
});

const problem = (code: string) => ({ type: `urn:dualhome:error:${code}` });

const open = (url: string) => new NdjsonRequest(`${url}/v1/changes`, tokenOf('operator'));

describe('a stream of changes', () => {
  it('answers each line when it is durable, in order, while more is to come', async () => {
    await using api = await testApi();
    using stream = open(api.url);
    stream.send(put(100));
    expect(await stream.next()).toEqual({ line: 1, seq: 2, changed: true });
    expect(await readHead(api.home.database)).toMatchObject({ seq: 2 });
    stream.send(put(101), put(102), put(100));
    expect([await stream.next(), await stream.next(), await stream.next()]).toEqual([
      { line: 2, seq: 3, changed: true },
      { line: 3, seq: 4, changed: true },
      { line: 4, seq: 2, changed: false },
    ]);
    stream.end();
    expect(await stream.rest()).toEqual([]);
  });

  it('answers a line that is no change with a problem, and goes on', async () => {
    await using api = await testApi();
    using stream = open(api.url);
    stream.write('{\n[]\n');
    stream.write(Buffer.from([0x22, 0xff, 0x22, 0x0a]));
    stream.write(`${'x'.repeat(70_000)}\n`);
    stream.write(`${'['.repeat(60_000)}\n`);
    stream.send(put(1, { aor: 'no address' }), { ...put(2), kind: 'planet' }, { ...put(3), if_seq: 7 });
    stream.write('\n   \n');
    stream.send({ op: 'delete', kind: 'number', key: '+49404' }, put(104));
    stream.end();
    expect(await stream.rest()).toEqual([
      ...[1, 2, 3, 4, 5].map((line) => ({
        line,
        problem: expect.objectContaining(problem('API_REQUEST_INVALID')),
      })),
      { line: 6, problem: expect.objectContaining(problem('CONFIG_INVALID')) },
      { line: 7, problem: expect.objectContaining(problem('CONFIG_KIND_UNKNOWN')) },
      { line: 8, problem: expect.objectContaining(problem('CONFIG_STALE')) },
      { line: 11, seq: 0, changed: false },
      { line: 12, seq: 2, changed: true },
    ]);
  });

  it('is given up when a line does not end, after all before it was answered', async () => {
    await using api = await testApi();
    using stream = open(api.url);
    stream.send(put(100));
    expect(await stream.next()).toEqual({ line: 1, seq: 2, changed: true });
    const block = Buffer.alloc(1_048_576, 0x78);
    const answer = stream.next();
    for (let i = 0; i < 20; i += 1) stream.write(block);
    expect(await answer).toEqual({ problem: expect.objectContaining(problem('API_BODY_TOO_LARGE')) });
  });

  it('commits many changes of many streams in few transactions, each event once and in order', async () => {
    await using api = await testApi();
    const streams = Array.from({ length: 8 }, () => open(api.url));
    const answers = await Promise.all(
      streams.map(async (stream, i) => {
        for (let n = 0; n < 200; n += 1) stream.send(put(10_000 * (i + 1) + n));
        stream.end();
        return stream.rest() as Promise<readonly { readonly seq: number }[]>;
      }),
    );
    const seqs = answers.flatMap((lines) => lines.map(({ seq }) => seq));
    expect([...seqs].sort((a, b) => a - b)).toEqual(Array.from({ length: 1_600 }, (_, i) => i + 2));
    for (const lines of answers) {
      expect(lines.map(({ seq }) => seq)).toEqual(lines.map(({ seq }) => seq).sort((a, b) => a - b));
    }
    const { rows } = await api.home.database.query<{ commits: number; events: number; head: number }>(
      `select count(distinct xmin::text)::int as commits, count(*)::int as events, max(seq) as head from log`,
    );
    expect(rows[0]).toMatchObject({ events: 1_601, head: 1_601 });
    expect(rows[0]?.commits).toBeLessThan(400);
    expect(await readHead(api.home.database)).toMatchObject({ seq: 1_601 });
  });

  it('ends at a whole answer when the api is stopped, and loses nothing that was answered', async () => {
    await using api = await testApi();
    using stream = open(api.url);
    stream.send(put(100));
    await stream.next();
    await api.stop();
    expect(await stream.rest()).toEqual([]);
    expect(await readHead(api.home.database)).toMatchObject({ seq: 2 });
  });

  it('takes one change as JSON, too', async () => {
    await using api = await testApi();
    const client = api.client();
    const body = { ...put(100), reason: 'one' };
    expect(await client.request('POST', '/v1/changes', { body, answer: changeDoneSchema })).toEqual({
      seq: 2,
      changed: true,
    });
    await expect(
      client.request('POST', '/v1/changes', { body: { op: 'nope' }, answer: changeDoneSchema }),
    ).rejects.toMatchObject({ code: 'API_REQUEST_INVALID' });
  });
});
