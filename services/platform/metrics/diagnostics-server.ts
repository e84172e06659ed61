import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { isDualhomeError, messageOf } from '../../protocol/errors/index.ts';
import { problemOf } from '../../protocol/errors/problem.ts';

/** Whether a program does its work, and what it says about itself. */
export type Health = { readonly healthy: boolean; readonly [fact: string]: unknown };

export type DiagnosticsOptions = {
  /** A loopback address: there is no authentication. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly health: () => Health | Promise<Health>;
  readonly registry: Registry;
  /** Further pages by their path, each answering its query with JSON. */
  readonly pages?: Readonly<Record<string, (query: URLSearchParams) => unknown>> | undefined;
  /** What a POST of JSON to a path does, each answering with JSON. */
  readonly actions?: Readonly<Record<string, (body: unknown) => Promise<unknown>>> | undefined;
};

/** RFC 9457. */
const problemType = 'application/problem+json';

const connectionsMax = 16;
const bodyBytesMax = 65_536;
const timeouts = { requestTimeout: 5_000, connectionsCheckingInterval: 5_000 };

/**
 * Serves `/health` (JSON; 200 healthy, 503 not), `/metrics` (Prometheus text), the further pages and the actions of one
 * program.
 * Releasing it cuts open requests.
 */
export class DiagnosticsServer implements AsyncDisposable {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

export async function startDiagnosticsServer(options: DiagnosticsOptions): Promise<DiagnosticsServer> {
  const server = createServer(timeouts, (request, response) => {
    const answered = request.method === 'POST' ? act(request, options) : answer(request, options);
    void answered.then(({ status, type, body }) =>
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
    );
  });
  server.maxConnections = connectionsMax;
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return new DiagnosticsServer(server);
}

type Answer = { readonly status: number; readonly type: string; readonly body: string };

const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});

async function act(request: IncomingMessage, { actions = {} }: DiagnosticsOptions): Promise<Answer> {
  try {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const action = Object.hasOwn(actions, pathname) ? actions[pathname] : undefined;
    if (!action) return json(405, { error: 'only GET' });
    // A page in a browser cannot send this type to another origin without asking first.
    if (request.headers['content-type'] !== 'application/json') return json(415, { error: 'only JSON' });
    return json(200, await action(await bodyOf(request)));
  } catch (error) {
    return failed(error);
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new Error(`more than ${bodyBytesMax} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function answer(
  { method, url }: IncomingMessage,
  { health, registry, pages = {} }: DiagnosticsOptions,
): Promise<Answer> {
  if (method !== 'GET') return json(405, { error: 'only GET' });
  try {
    const { pathname, searchParams } = new URL(url ?? '/', 'http://localhost');
    if (pathname === '/metrics')
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined;
    if (page) return json(200, await page(searchParams));
    if (pathname !== '/health') return json(404, { error: 'no such page' });
    const state = await health();
    return json(state.healthy ? 200 : 503, state);
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Answer {
  if (isDualhomeError(error)) return { ...json(error.definition.http, problemOf(error)), type: problemType };
  return json(500, { healthy: false, error: messageOf(error) });
}
