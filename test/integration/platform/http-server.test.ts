import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Secret } from '../../../services/platform/logging/secret.ts';
import { CertificateStore } from '../../../services/platform/tls/certificate-store.ts';
import { createAuthority, issueCertificate } from '../../../services/platform/tls/certificates.ts';
import { writeIdentity } from '../../../services/platform/tls/identity-files.ts';
import { item, numbers, ok, TestApi } from '../../support/http-test-api.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

describe('requests', () => {
  test('a valid one is answered, by name of its token', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    expect(await client.request('GET', '/who', { answer: z.object({ name: z.string() }) })).toEqual({
      name: 'alice',
    });
    const body = { name: 'a', size: 1 };
    expect(await client.request('PUT', '/items/1', { body, answer: item })).toEqual(body);
    expect(await client.request('DELETE', '/items/1', { answer: z.undefined() })).toBeUndefined();
    expect(
      await client.request('GET', '/query', { query: { n: 7, none: undefined }, answer: numbers }),
    ).toEqual({ n: 7 });
  });

  test('an invalid one lists each field with its path', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    await expect(
      client.request('PUT', '/items/1', { body: { size: -1 }, answer: item }),
    ).rejects.toMatchObject({
      code: 'API_REQUEST_INVALID',
      facts: {
        errors: [
          { where: 'body', path: '/name', message: expect.any(String) },
          { where: 'body', path: '/size', message: expect.any(String) },
        ],
      },
    });
    await expect(
      client.request('GET', '/query', { query: { n: 'x' }, answer: numbers }),
    ).rejects.toMatchObject({
      facts: { errors: [{ where: 'querystring', path: '/n' }] },
    });
  });

  test('without a valid token nothing but public routes answers', async () => {
    await using api = await TestApi.start();
    for (const token of [undefined, new Secret('bad')]) {
      using client = api.client({ token });
      await expect(client.request('GET', '/who', { answer: z.unknown() })).rejects.toThrow(
        'API_UNAUTHENTICATED',
      );
      expect(await client.request('GET', '/public', { answer: ok })).toEqual({ ok: true });
    }
    const response = await fetch(`http://127.0.0.1:${api.port}/who`);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });

  test('a registered error comes back as itself', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    await expect(client.request('GET', '/refuse', { answer: z.unknown() })).rejects.toMatchObject({
      code: 'POSTGRES_UNREACHABLE',
      detail: 'port 1',
      facts: { port: 1 },
    });
  });

  test('a defect shows nothing but the id under which the log has it', async () => {
    await using api = await TestApi.start();
    const headers = { authorization: 'Bearer good' };
    const response = await fetch(`http://127.0.0.1:${api.port}/defect`, { headers });
    const text = await response.text();
    expect(text).not.toContain('internal detail');
    expect(JSON.parse(text)).toMatchObject({ type: 'urn:dualhome:error:API_INTERNAL', status: 500 });
    const { instance } = JSON.parse(text) as { instance: string };
    const line = api.logged.find((each) => each.includes('"level":"error"')) ?? '';
    expect(line).toContain(`"request":"${instance}"`);
    expect(line).toContain('internal detail');
  });

  test.each([
    ['/nothing', {}, 404, 'API_NOT_FOUND'],
    [
      '/items/1',
      { method: 'PUT', body: '{', headers: { 'content-type': 'application/json' } },
      400,
      'API_REQUEST_INVALID',
    ],
    [
      '/items/1',
      { method: 'PUT', body: '<a/>', headers: { 'content-type': 'text/xml' } },
      415,
      'API_MEDIA_TYPE_UNSUPPORTED',
    ],
    [
      '/items/1',
      { method: 'PUT', body: `"${'x'.repeat(2_000)}"`, headers: { 'content-type': 'application/json' } },
      413,
      'API_BODY_TOO_LARGE',
    ],
  ])('%s with %o is answered %i %s', async (path, init: RequestInit, status, code) => {
    await using api = await TestApi.start({ limits: { bodyBytesMax: 1_000 } });
    const headers = { ...(init.headers as Record<string, string> | undefined), authorization: 'Bearer good' };
    const response = await fetch(`http://127.0.0.1:${api.port}${path}`, { ...init, headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: `urn:dualhome:error:${code}`, status });
  });

  test('no token and no body reaches the log', async () => {
    await using api = await TestApi.start();
    using client = api.client({ token: new Secret('good') });
    await client.request('PUT', '/items/1', { body: { name: 'private', size: 1 }, answer: item });
    expect(api.logged.join('')).toContain('"url":"/items/1"');
    expect(api.logged.join('')).not.toMatch(/good|private/);
  });

  test('the description names every route, its schemas and the form of failures', async () => {
    await using api = await TestApi.start();
    const description = (await (await fetch(`http://127.0.0.1:${api.port}/openapi.json`)).json()) as object;
    expect(description).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Test', version: '1.2.3' },
      paths: {
        '/items/{id}': {
          put: {
            requestBody: { content: { 'application/json': { schema: { required: ['name', 'size'] } } } },
            responses: { 200: {}, default: { content: { 'application/problem+json': {} } } },
          },
        },
      },
    });
    expect(Object.keys((description as { paths: object }).paths)).not.toContain('/openapi.json');
  });
});

describe('TLS', () => {
  test('the client trusts the given authority only, and the server takes up a renewed certificate', async () => {
    await using directory = await TemporaryDirectory.create();
    const [authority, stranger] = [
      await createAuthority({ name: 'a', days: 9 }),
      await createAuthority({ name: 's', days: 9 }),
    ];
    const files = { keyFile: directory.file('key.pem'), certificateFile: directory.file('certificate.pem') };
    const renew = async () =>
      writeIdentity(
        files,
        await issueCertificate(authority, { name: 'api', ipAddresses: ['127.0.0.1'], days: 9 }),
      );
    await renew();
    const onProblem = () => undefined;
    await using certificates = await CertificateStore.open({ ...files, authorityFiles: [], onProblem });
    await using api = await TestApi.start({ certificates });

    using trusting = api.client({ authoritiesPem: [authority.certificatePem] });
    using distrustful = api.client({ authoritiesPem: [stranger.certificatePem] });
    expect(await trusting.request('GET', '/public', { answer: ok })).toEqual({ ok: true });
    await expect(distrustful.request('GET', '/public', { answer: ok })).rejects.toThrow(
      'TLS_CERTIFICATE_UNTRUSTED',
    );

    await renew();
    await certificates.reload();
    using next = api.client({ authoritiesPem: [authority.certificatePem] });
    expect(await next.request('GET', '/public', { answer: ok })).toEqual({ ok: true });
  });
});

describe('limits', () => {
  test('a head that does not arrive is cut off', async () => {
    await using api = await TestApi.start({ limits: { headersWithinMs: 100 } });
    const socket = connect(api.port, '127.0.0.1');
    socket.write('GET /public HTTP/1.1\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('408');
    socket.destroy();
  });

  test('a silent connection is closed', async () => {
    await using api = await TestApi.start({ limits: { idleMs: 100 } });
    const socket = connect(api.port, '127.0.0.1');
    const [hadError] = (await once(socket, 'close')) as [boolean];
    expect(hadError).toBe(false);
  });

  test('more connections than agreed are closed', async () => {
    await using api = await TestApi.start({ limits: { connectionsMax: 1 } });
    const first = connect(api.port, '127.0.0.1');
    await once(first, 'connect');
    const second = connect(api.port, '127.0.0.1').on('error', () => undefined);
    await once(second, 'close');
    expect(first.readyState).toBe('open');
    first.destroy();
  });
});

describe('closing', () => {
  test('lets an open request end', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    const asked = client.request('GET', '/slow', { answer: ok });
    await api.slow.promise;
    const closed = api.server[Symbol.asyncDispose]();
    api.release.resolve();
    expect(await asked).toEqual({ ok: true });
    await closed;
  });

  test('cuts a request that does not end within the limit', async () => {
    await using api = await TestApi.start({ limits: { closeWithinMs: 100 } });
    using client = api.client();
    const asked = client.request('GET', '/slow', { answer: ok });
    const cut = asked.catch((error: unknown) => error);
    await api.slow.promise;
    await api.server[Symbol.asyncDispose]();
    expect(await cut).toMatchObject({ code: 'API_UNREACHABLE' });
    api.release.resolve();
  });
});
