import { describe, expect, it } from 'vitest';
import { changeDoneSchema } from '../../../services/protocol/rest/changes.ts';
import { configRowSchema } from '../../../services/protocol/rest/config.ts';
import { readHead } from '../../../services/log/head.ts';
import { testApi } from '../../support/api.ts';

const alice = { home_site: 'c1', backup_site: 'c2', ha1_md5: '0123456789abcdef0123456789abcdef' };
const path = '/v1/config/subscriber/alice%40c1.example';

describe('the configuration over HTTP', () => {
  it('keeps a row that was put, with its event, and never shows its secret', async () => {
    await using api = await testApi();
    const client = api.client();
    const done = await client.request('PUT', path, { body: alice, answer: changeDoneSchema });
    expect(done).toEqual({ seq: 2, changed: true });
    const row = await client.request('GET', path, { answer: configRowSchema });
    expect(row).toMatchObject({
      kind: 'subscriber',
      key: 'alice@c1.example',
      seq: 2,
      row: { aor: 'alice@c1.example', home_site: 'c1', ha1_md5: '[sealed]', ha1_sha256: null },
    });
    expect(await readHead(api.home.database)).toMatchObject({ seq: 2 });
  });
});
