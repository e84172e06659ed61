import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DualhomeError } from '../../../services/protocol/errors/index.ts';
import { HttpClient } from '../../../services/platform/http/client.ts';
import type { HttpClientOptions } from '../../../services/platform/http/client.ts';
import { ndjsonStream, ndjsonType, readNdjson } from '../../../services/platform/http/ndjson.ts';
import { createHttpServer } from '../../../services/platform/http/server.ts';
import type { HttpServer, HttpServerOptions } from '../../../services/platform/http/server.ts';
import { createLogger } from '../../../services/platform/logging/logger.ts';
import { Secret } from '../../../services/platform/logging/secret.ts';
import { CertificateStore } from '../../../services/platform/tls/certificate-store.ts';
import { createAuthority, issueCertificate } from '../../../services/platform/tls/certificates.ts';
import { writeIdentity } from '../../../services/platform/tls/identity-files.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

type Principal = { readonly name: string };

const item = z.object({ name: z.string(), size: z.int().min(0) });
const numbers = z.object({ n: z.int() });

/** An API with one route per behaviour, listening on a real socket. */
class TestApi implements AsyncDisposable {
  readonly server: HttpServer<Principal>;
  readonly logged: string[];
  /** The log line about an answer that could not be completed. */
  readonly answerBrokeOff = Promise.withResolvers<string>();
  /** Resolves when the slow route has a request. */
  readonly slow = Promise.withResolvers<void>();
  /** Settles the slow route's answer. */
  readonly release = Promise.withResolvers<void>();
  #url = '';

  private constructor(server: HttpServer<Principal>, logged: string[]) {
    this.server = server;
    this.logged = logged;
  }

  static async start(options: Partial<HttpServerOptions<Principal>> = {}): Promise<TestApi> {
    const logged: string[] = [];
    const write = (line: string): void => {
      logged.push(line);
      if (line.includes('answer broke off')) api.answerBrokeOff.resolve(line);
    };
    const server = await createHttpServer<Principal>({
      title: 'Test',
      version: '1.2.3',
      logger: createLogger({
        program: 'test',
        level: 'debug',
        to: { write },
      }),
      authenticate: async (token) => (token === 'good' ? { name: 'alice' } : undefined),
      ...options,
    });
    const api = new TestApi(server, logged);
    api.#routes();
    api.#url = await server.listen({ host: '127.0.0.1', port: 0 });
    return api;
  }

  get port(): number {
    return (this.server.app.server.address() as AddressInfo).port;
  }

  client(options: Partial<HttpClientOptions> = {}): HttpClient {
    return new HttpClient({ baseUrl: this.#url, token: new Secret('good'), ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }

  #routes(): void {
    const { app } = this.server;
    app.get('/public', { config: { public: true } }, () => ({ ok: true }));
    app.get('/who', (request) => this.server.principalOf(request));
    app.put(
      '/items/:id',
      { schema: { params: z.object({ id: z.string() }), body: item, response: { 200: item } } },
      (request) => request.body,
    );
    app.delete('/items/:id', (_request, reply) => reply.code(204).send());
    app.get('/query', { schema: { querystring: z.object({ n: z.coerce.number() }) } }, ({ query }) => query);
    app.get('/refuse', () => {
      throw new DualhomeError('POSTGRES_UNREACHABLE', { detail: 'port 1', facts: { port: 1 } });
    });
    app.get('/defect', () => {
      throw new TypeError('internal detail');
    });
    app.get('/slow', async () => {
      this.slow.resolve();
      await this.release.promise;
      return { ok: true };
    });
    app.get('/large', () => ({ text: 'x'.repeat(10_000) }));
    app.post('/double', (request, reply) => {
      const source = readNdjson(request.body as Readable, numbers);
      return reply.type(ndjsonType).send(ndjsonStream(double(source)));
    });
  }
}

async function* double(source: AsyncIterable<{ n: number }>): AsyncGenerator<{ n: number }> {
  for await (const { n } of source) yield { n: n * 2 };
}

const ok = z.object({ ok: z.literal(true) });

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

describe('NDJSON', () => {
  test('goes both ways at once: each answer arrives before the next line is sent', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    const answered: number[] = [];
    let next = Promise.withResolvers<void>();
    async function* lines(): AsyncGenerator<{ n: number }> {
      for (let n = 1; n <= 3; n++) {
        yield { n };
        await next.promise;
        next = Promise.withResolvers();
      }
    }
    for await (const { n } of client.stream('POST', '/double', { lines: lines(), answer: numbers })) {
      answered.push(n);
      next.resolve();
    }
    expect(answered).toEqual([2, 4, 6]);
  });

  test('a hundred thousand lines come back in order, more than the body limit in all', async () => {
    await using api = await TestApi.start({ limits: { bodyBytesMax: 1_000 } });
    using client = api.client();
    const lines = Array.from({ length: 100_000 }, (_, n) => ({ n }));
    let count = 0;
    for await (const { n } of client.stream('POST', '/double', { lines, answer: numbers })) {
      if (n !== count * 2) break;
      count += 1;
    }
    expect(count).toBe(lines.length);
  });

  test('leaving the loop early ends the request and its source', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    const sourceEnded = Promise.withResolvers<string>();
    async function* endless(): AsyncGenerator<{ n: number }> {
      try {
        for (let n = 0; ; n++) yield { n };
      } finally {
        sourceEnded.resolve('ended');
      }
    }
    for await (const { n } of client.stream('POST', '/double', { lines: endless(), answer: numbers })) {
      if (n > 10) break;
    }
    expect(await sourceEnded.promise).toBe('ended');
  });

  test('a failure of the source is the failure of the stream', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    const broken = Object.assign(new Error('disk'), { code: 'EIO' });
    async function* lines(): AsyncGenerator<{ n: number }> {
      yield { n: 1 };
      throw broken;
    }
    const answers = client.stream('POST', '/double', { lines: lines(), answer: numbers });
    await expect(Array.fromAsync(answers)).rejects.toBe(broken);
  });

  test('an error before the stream begins is told as such', async () => {
    await using api = await TestApi.start();
    using client = api.client({ token: undefined });
    const answers = client.stream('POST', '/double', { lines: [{ n: 1 }], answer: numbers });
    await expect(Array.fromAsync(answers)).rejects.toThrow('API_UNAUTHENTICATED');
  });

  test('a line the server cannot read breaks the answer off', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    const answers = client.stream('POST', '/double', { lines: [{ n: 1 }, { n: 'x' }], answer: numbers });
    await expect(Array.fromAsync(answers)).rejects.toThrow('API_UNREACHABLE');
    expect(await api.answerBrokeOff.promise).toContain('API_REQUEST_INVALID');
  });
});

describe('the client', () => {
  test('says that nothing listens', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    await api.server[Symbol.asyncDispose]();
    await expect(client.request('GET', '/public', { answer: ok })).rejects.toMatchObject({
      code: 'API_UNREACHABLE',
      facts: { code: 'ECONNREFUSED' },
    });
  });

  test('says that no answer came in time', async () => {
    await using api = await TestApi.start();
    using client = api.client({ timeoutMs: 100 });
    await expect(client.request('GET', '/slow', { answer: ok })).rejects.toThrow('API_TIMEOUT');
    api.release.resolve();
  });

  test('stops when told to, with the reason it was told', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    const stop = new AbortController();
    const asked = client.request('GET', '/slow', { answer: ok, signal: stop.signal });
    await api.slow.promise;
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(client.request('GET', '/slow', { answer: ok, signal: stop.signal })).rejects.toBe(reason);
    api.release.resolve();
  });

  test('takes no answer of another form, and no larger one than agreed', async () => {
    await using api = await TestApi.start();
    using client = api.client({ answerBytesMax: 1_000 });
    await expect(client.request('GET', '/public', { answer: item })).rejects.toThrow('API_ANSWER_INVALID');
    await expect(client.request('GET', '/large', { answer: z.unknown() })).rejects.toThrow(
      'API_ANSWER_INVALID',
    );
  });

  test('takes no answer from a server of another kind', async () => {
    await using stack = new AsyncDisposableStack();
    const web = createServer((_request, response) => response.writeHead(502).end('<html>'));
    const smtp = createTcpServer((socket) => socket.on('error', () => undefined).end('220 mail\r\n'));
    for (const server of [web, smtp]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      stack.defer(() => void server.close());
      using client = new HttpClient({
        baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      });
      await expect(client.request('GET', '/', { answer: z.unknown() })).rejects.toThrow('API_ANSWER_INVALID');
    }
  });

  test('uses one connection for requests after each other', async () => {
    await using api = await TestApi.start();
    let connections = 0;
    api.server.app.server.on('connection', () => (connections += 1));
    using client = api.client();
    for (let i = 0; i < 5; i++) await client.request('GET', '/public', { answer: ok });
    expect(connections).toBe(1);
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
