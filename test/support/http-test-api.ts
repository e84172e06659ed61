import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { HttpClient } from '../../services/platform/http/client.ts';
import type { HttpClientOptions } from '../../services/platform/http/client.ts';
import { ndjsonStream, ndjsonType, readNdjson } from '../../services/platform/http/ndjson.ts';
import { createHttpServer } from '../../services/platform/http/server.ts';
import type { HttpServer, HttpServerOptions } from '../../services/platform/http/server.ts';
import { createLogger } from '../../services/platform/logging/logger.ts';
import { Secret } from '../../services/platform/logging/secret.ts';
import { DualhomeError } from '../../services/protocol/errors/index.ts';

export const ok = z.object({ ok: z.literal(true) });

type Principal = { readonly name: string };

export const item = z.object({ name: z.string(), size: z.int().min(0) });
export const numbers = z.object({ n: z.int() });

/** An API with one route per behaviour, listening on a real socket. */
export class TestApi implements AsyncDisposable {
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
