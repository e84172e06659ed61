import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HttpClient } from '../../../services/platform/http/client.ts';
import { item, numbers, ok, TestApi } from '../../support/http-test-api.ts';

/** Lines without end, and word of when nobody wants them any more. */
class EndlessSource {
  readonly #ended = Promise.withResolvers<string>();
  readonly ended = this.#ended.promise;

  async *lines(): AsyncGenerator<{ n: number }> {
    try {
      for (let n = 0; ; n++) yield { n };
    } finally {
      this.#ended.resolve('ended');
    }
  }
}

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

  test('says that the connection broke in the middle of an answer', async () => {
    const accepted = Promise.withResolvers<Socket>();
    const server = createTcpServer((socket) => {
      accepted.resolve(socket);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ok":');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const reset = (): void => void accepted.promise.then((socket) => socket.resetAndDestroy());
    subscribe('http.client.response.finish', reset);
    using client = new HttpClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await expect(client.request('GET', '/', { answer: ok })).rejects.toThrow('API_UNREACHABLE');
    unsubscribe('http.client.response.finish', reset);
    server.close();
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
    const source = new EndlessSource();
    for await (const { n } of client.stream('POST', '/double', { lines: source.lines(), answer: numbers })) {
      if (n > 10) break;
    }
    expect(await source.ended).toBe('ended');
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

  test('an error before the stream begins is told as such, and ends the source', async () => {
    await using api = await TestApi.start();
    using client = api.client({ token: undefined });
    const source = new EndlessSource();
    const answers = client.stream('POST', '/double', { lines: source.lines(), answer: numbers });
    await expect(Array.fromAsync(answers)).rejects.toThrow('API_UNAUTHENTICATED');
    expect(await source.ended).toBe('ended');
  });

  test('a line the server cannot read breaks the answer off', async () => {
    await using api = await TestApi.start();
    using client = api.client();
    const answers = client.stream('POST', '/double', { lines: [{ n: 1 }, { n: 'x' }], answer: numbers });
    await expect(Array.fromAsync(answers)).rejects.toThrow('API_UNREACHABLE');
    expect(await api.answerBrokeOff.promise).toContain('API_REQUEST_INVALID');
  });
});
