import { describe, expect, it } from 'vitest';
import { jobListSchema, jobPreviewSchema, jobSchema } from '../../../services/protocol/rest/jobs.ts';
import { testApi } from '../../support/api.ts';

const job = { answer: jobSchema };

describe('jobs over HTTP', () => {
  it('are queued, listed, cancelled, and run again once they have ended', async () => {
    await using api = await testApi();
    const client = api.client();
    const body = {
      kind: 'resync',
      peer: 'c2',
      scope: { kinds: ['subscriber'], keyRange: null },
      reason: 'drill',
    };
    const created = await client.request('POST', '/v1/jobs', { body, ...job });
    expect(created).toMatchObject({
      ...body,
      state: 'queued',
      requestedBy: 'operator of the test',
      attempts: 0,
    });
    const list = await client.request('GET', '/v1/jobs', {
      query: { state: 'queued' },
      answer: jobListSchema,
    });
    expect(list.jobs.map(({ id }) => id)).toEqual([created.id]);

    const path = `/v1/jobs/${created.id}`;
    await expect(client.request('POST', `${path}/retry`, job)).rejects.toMatchObject({
      code: 'JOB_NOT_RETRIABLE',
    });
    expect(await client.request('POST', `${path}/cancel`, job)).toMatchObject({ cancelRequested: true });
    await api.shared.database.query(`update site.jobs set state = 'cancelled', ended_at = now()`);
    expect(await client.request('POST', `${path}/retry`, job)).toMatchObject({
      state: 'queued',
      cancelRequested: false,
      endedAt: null,
    });
  });

  it('are refused for a site that is no peer, a kind that does not exist, and by a viewer', async () => {
    await using api = await testApi();
    const request = (role: 'viewer' | 'operator', body: object) =>
      api.client(role).request('POST', '/v1/jobs', { body: { kind: 'resync', peer: 'c2', ...body }, ...job });
    await expect(request('operator', { peer: 'c9' })).rejects.toMatchObject({ code: 'JOB_PEER_UNKNOWN' });
    const scope = { kinds: ['planet'], keyRange: null };
    await expect(request('operator', { scope })).rejects.toMatchObject({ code: 'CONFIG_KIND_UNKNOWN' });
    await expect(request('viewer', {})).rejects.toMatchObject({ code: 'API_FORBIDDEN' });
    const unknown = '/v1/jobs/00000000-0000-4000-8000-000000000000';
    await expect(api.client().request('GET', unknown, job)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('cannot be previewed while the synchronizer does not run', async () => {
    await using api = await testApi();
    const body = { kind: 'resync', peer: 'c2' };
    const preview = api
      .client('viewer')
      .request('POST', '/v1/jobs/preview', { body, answer: jobPreviewSchema });
    await expect(preview).rejects.toMatchObject({ code: 'SYNCHRONIZER_UNREACHABLE' });
  });
});
