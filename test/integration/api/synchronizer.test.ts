import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHttpServer } from '../../../services/platform/http/server.ts';
import { createLogger } from '../../../services/platform/logging/logger.ts';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';
import { problemOf } from '../../../services/protocol/errors/problem.ts';
import { changeDoneSchema } from '../../../services/protocol/rest/changes.ts';
import { jobPreviewSchema } from '../../../services/protocol/rest/jobs.ts';
import { statusSchema } from '../../../services/protocol/status.ts';
import { testApi } from '../../support/api.ts';

const preview = {
  directions: [
    {
      log: 'configuration',
      from: 'c1',
      to: 'c2',
      rows: 3,
      bytes: 300,
      expectedSeconds: 1,
      replacesRows: null,
    },
  ],
};

/** A synchronizer that knows no peer, in so far as an api sees it. */
async function fakeSynchronizer() {
  const asked: string[] = [];
  const pages: Readonly<Record<string, unknown>> = {
    '/status': {
      site: 'c1',
      software: 'fake',
      at: '2026-01-01T00:00:00.000Z',
      health: 'ok',
      peers: [],
      alarms: [],
      warnings: [],
    },
    '/preview': preview,
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const job = searchParams.get('job') ?? '';
    asked.push(`${pathname} ${job}`);
    if (job.includes('"pull"')) {
      const problem = problemOf(new DualhomeError('LINK_DOWN', { detail: 'c2' }));
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify(problem));
      return;
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(pages[pathname]));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    asked,
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

describe('what the api asks its synchronizer', () => {
  it('is the status, a preview, and how far peers have applied a change', async () => {
    await using synchronizer = await fakeSynchronizer();
    await using api = await testApi(undefined, { synchronizer: synchronizer.address });
    const client = api.client();
    const status = await client.request('GET', '/v1/status', { answer: statusSchema });
    expect(status).toMatchObject({ software: 'fake', health: 'ok', warnings: [] });
    const body = { kind: 'resync', peer: 'c2' };
    expect(await client.request('POST', '/v1/jobs/preview', { body, answer: jobPreviewSchema })).toEqual(
      preview,
    );
    expect(JSON.parse(synchronizer.asked.at(-1)?.replace('/preview ', '') ?? '')).toMatchObject({
      ...body,
      log: 'configuration',
      scope: { kinds: null, keyRange: null },
    });
    const pull = { body: { kind: 'pull', peer: 'c2' }, answer: jobPreviewSchema };
    await expect(client.request('POST', '/v1/jobs/preview', pull)).rejects.toMatchObject({
      code: 'LINK_DOWN',
    });
    const change = { body: { home_site: 'c1' }, query: { wait: 'applied' }, answer: changeDoneSchema };
    expect(await client.request('PUT', '/v1/config/subscriber/a%40c1.example', change)).toMatchObject({
      seq: 2,
    });
  });
});

describe('a log that is busy', () => {
  it('is told with the time after which to ask again', async () => {
    await using server = await createHttpServer({
      title: 'test',
      version: '1',
      logger: createLogger({ program: 'test', level: 'silent' }),
      authenticate: async () => 'anyone',
    });
    server.app.get('/busy', { config: { public: true } }, () => {
      throw new DualhomeError('LOG_BUSY', { facts: { retryAfterSeconds: 1 } });
    });
    const answer = await fetch(`${await server.listen({ host: '127.0.0.1', port: 0 })}/busy`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  });
});
