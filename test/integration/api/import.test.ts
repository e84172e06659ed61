import { describe, expect, it } from 'vitest';
import { importLineSchema } from '../../../services/protocol/rest/import.ts';
import type { ImportDone, ImportLine } from '../../../services/protocol/rest/import.ts';
import { testApi, tokenOf } from '../../support/api.ts';
import type { TestApi } from '../../support/api.ts';
import { NdjsonRequest } from '../../support/ndjson-client.ts';

type Imported = { readonly done: ImportDone; readonly refused: readonly ImportLine[] };

async function importing(
  api: TestApi,
  kind: string,
  text: string,
  query: Readonly<Record<string, string>> = {},
  type = 'text/csv',
): Promise<Imported> {
  const url = `${api.url}/v1/import/${kind}?${new URLSearchParams(query).toString()}`;
  using stream = new NdjsonRequest(url, tokenOf('operator'), type);
  stream.write(text);
  stream.end();
  const lines = (await stream.rest()).map((line) => importLineSchema.parse(line));
  const done = lines.at(-1);
  if (done?.type !== 'done') throw new Error(`the import did not end: ${JSON.stringify(done)}`);
  return { done, refused: lines.filter((line) => line.type === 'refused') };
}

async function exported(api: TestApi, kind: string, format: string): Promise<string> {
  const headers = { authorization: `Bearer ${tokenOf('viewer').reveal()}` };
  return (await fetch(`${api.url}/v1/export/${kind}?format=${format}`, { headers })).text();
}

const numbers = (from: number, to: number, aor = 'a@x') =>
  Array.from({ length: to - from }, (_, i) => `+49${from + i},${aor}\n`).join('');

const header = 'number,aor\n';

describe('an import', () => {
  it('makes each batch one event, and nothing of what is there already', async () => {
    await using api = await testApi();
    const text = header + numbers(1_000, 2_234);
    const { done } = await importing(api, 'number', text);
    expect(done).toMatchObject({
      ok: true,
      line: 1_235,
      rows: 1_234,
      changed: 1_234,
      seq: 4,
      resumeFrom: null,
    });
    const again = await importing(api, 'number', text);
    expect(again.done).toMatchObject({ ok: true, rows: 1_234, changed: 0, seq: 0 });
    const { rows } = await api.home.database.query<{ n: number }>('select count(*)::int as n from numbers');
    expect(rows[0]?.n).toBe(1_234);
  });

  it('reports every bad row of a batch, writes nothing of it, and says where to go on', async () => {
    await using api = await testApi();
    const bad = '+1x,a@x\n"+492,a@x\n+493\n';
    const { done, refused } = await importing(
      api,
      'number',
      header + numbers(100, 110) + bad + numbers(200, 230),
      {
        batch_rows: '10',
      },
    );
    expect(refused).toEqual([
      { type: 'refused', line: 12, faults: [{ column: 'number', message: expect.any(String) }] },
      { type: 'refused', line: 13, faults: [{ column: null, message: expect.stringMatching(/quote/i) }] },
      { type: 'refused', line: 14, faults: [{ column: null, message: expect.stringContaining('1 fields') }] },
    ]);
    expect(done).toMatchObject({ ok: false, line: 11, rows: 10, changed: 10, refused: 3, resumeFrom: 12 });
    const corrected = header + numbers(100, 113) + numbers(200, 230);
    const resumed = await importing(api, 'number', corrected, { from_line: '12' });
    expect(resumed.done).toMatchObject({ ok: true, rows: 33, changed: 33 });
  });

  it('changes nothing in a dry run, and finds the faults of all batches', async () => {
    await using api = await testApi();
    const text = `${header}${numbers(100, 105)}bad,a@x\n${numbers(105, 120)}worse,a@x\n`;
    const { done, refused } = await importing(api, 'number', text, { dry_run: 'true', batch_rows: '5' });
    expect(refused.map((line) => ('line' in line ? line.line : 0))).toEqual([7, 23]);
    expect(done).toMatchObject({ ok: false, rows: 22, changed: 0, refused: 2 });
    const { rows } = await api.home.database.query('select from numbers');
    expect(rows).toHaveLength(0);
  });

  it('refuses a header that does not fit, before it reads a row', async () => {
    await using api = await testApi();
    const { done } = await importing(api, 'number', `number,nope\n+491,x\n`);
    expect(done).toMatchObject({
      ok: false,
      rows: 0,
      problem: { type: 'urn:dualhome:error:CONFIG_INVALID' },
    });
  });

  it('merges the columns given, keeps the others, and deletes by key', async () => {
    await using api = await testApi();
    const row = { aor: 'a@c1.example', home_site: 'c1', display_name: 'Ada', area_code: '30' };
    const ndjson = 'application/x-ndjson';
    await importing(api, 'subscriber', JSON.stringify({ ...row, ha1_md5: 'a'.repeat(32) }), {}, ndjson);
    await importing(api, 'subscriber', 'aor,area_code,display_name\na@c1.example,40,\n', { mode: 'merge' });
    expect(await exported(api, 'subscriber', 'csv')).toBe(
      `aor,display_name,ha1_md5,ha1_sha256,home_site,backup_site,class_of_service,forward_always,forward_busy,forward_no_answer,forward_no_answer_seconds,forward_unreachable,area_code,country_code,time_zone
a@c1.example,,[sealed],,c1,,,,,,,,40,,
`,
    );
    const { done } = await importing(api, 'subscriber', 'aor\na@c1.example\nb@c1.example\n', {
      mode: 'delete',
    });
    expect(done).toMatchObject({ ok: true, rows: 2, changed: 1 });
    expect(await exported(api, 'subscriber', 'ndjson')).toBe('');
  });

  it('reads what an export wrote, secrets kept', async () => {
    await using api = await testApi();
    const lines = ['a', 'b'].map((user) =>
      JSON.stringify({
        aor: `${user}@c1.example`,
        home_site: 'c1',
        display_name: `"${user}", quoted`,
        ha1_md5: 'a'.repeat(32),
        class_of_service: ['local', 'national'],
      }),
    );
    await importing(api, 'subscriber', lines.join('\n'), {}, 'application/x-ndjson');
    for (const [format, type] of [
      ['csv', 'text/csv'],
      ['ndjson', 'application/x-ndjson'],
    ] as const) {
      const { done } = await importing(
        api,
        'subscriber',
        await exported(api, 'subscriber', format),
        {},
        type,
      );
      expect(done).toMatchObject({ ok: true, rows: 2, changed: 0 });
    }
  });

  it("takes Kamailio's subscriber table, and fields for all rows", async () => {
    await using api = await testApi();
    const text = `id,username,domain,password,ha1,ha1b\n1,alice,C1.example,,${'A'.repeat(32)},x\n`;
    const { done } = await importing(api, 'subscriber', text, { format: 'kamailio', set: 'backup_site=c2' });
    expect(done).toMatchObject({ ok: true, changed: 1 });
    const line = JSON.parse(await exported(api, 'subscriber', 'ndjson')) as object;
    expect(line).toMatchObject({
      aor: 'alice@c1.example',
      home_site: 'c1',
      backup_site: 'c2',
      ha1_md5: '[sealed]',
    });
  });

  it('splits a batch whose event would be too large', async () => {
    await using api = await testApi();
    const url = (n: number) => `sip:${'x'.repeat(480)}${n}`;
    const row = (i: number, shift: number) => ({
      prefix: `+${1_000 + i}`,
      class: 'national',
      next_hops: Array.from({ length: 8 }, (_, n) => url(n + shift)),
    });
    const text = (shift: number) =>
      Array.from({ length: 200 }, (_, i) => JSON.stringify(row(i, shift))).join('\n');
    const query = { batch_rows: '1000' };
    const first = await importing(api, 'route', text(0), query, 'application/x-ndjson');
    expect(first.done).toMatchObject({ ok: true, changed: 200 });
    const second = await importing(api, 'route', text(1), query, 'application/x-ndjson');
    expect(second.done).toMatchObject({ ok: true, changed: 200 });
    const { rows } = await api.home.database.query<{ largest: number }>(
      'select max(octet_length(body)) as largest from log',
    );
    expect(rows[0]?.largest).toBeLessThanOrEqual(1_048_576);
  });

  it('keeps what was durable when it is stopped, and goes on from there', async () => {
    await using api = await testApi();
    using stream = new NdjsonRequest(
      `${api.url}/v1/import/number?batch_rows=10`,
      tokenOf('operator'),
      'text/csv',
    );
    stream.write(header + numbers(100, 110));
    const first = importLineSchema.parse(await stream.next());
    expect(first).toMatchObject({ type: 'progress', line: 11 });
    await api.stop();
    const [done] = (await stream.rest()).map((line) => importLineSchema.parse(line));
    expect(done).toMatchObject({ type: 'done', ok: false, line: 11, changed: 10, resumeFrom: 12 });
  });
});
