import { randomUUID } from 'node:crypto';
import { createServer as createPlainServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import type { FastifyReply, FastifyRequest, FastifyServerFactoryHandler } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { problemOf, problemSchema } from '../../protocol/errors/problem.ts';
import type { Logger } from '../logging/logger.ts';
import type { CertificateStore } from '../tls/certificate-store.ts';
import { ndjsonType } from './ndjson.ts';
import type { HttpApp } from './http-app.ts';
import { describeApi } from './openapi.ts';
import { RequestLog } from './request-log.ts';
import { registeredErrorOf } from './server-errors.ts';

export type HttpLimits = {
  readonly bodyBytesMax: number;
  readonly connectionsMax: number;
  /** For the head of a request to arrive. */
  readonly headersWithinMs: number;
  /** Without a byte either way; a stream that may be silent longer has to send something. */
  readonly idleMs: number;
  /** For open requests to end when the server is closed. */
  readonly closeWithinMs: number;
};

export const defaultHttpLimits: HttpLimits = {
  bodyBytesMax: 1_048_576,
  connectionsMax: 512,
  headersWithinMs: 10_000,
  idleMs: 60_000,
  closeWithinMs: 5_000,
};

/** Of one part of a path, percent-encoded. */
const PARAMETER_LENGTH_MAX = 2_048;

export type HttpServerOptions<Principal> = {
  readonly title: string;
  readonly version: string;
  readonly logger: Logger;
  /** Who holds this bearer token (RFC 6750); undefined where nobody does. */
  readonly authenticate: (token: string) => Promise<Principal | undefined>;
  /** Serves HTTPS with the newest certificate; plain HTTP without. */
  readonly certificates?: CertificateStore | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
};

/** A server whose description is complete once its routes are registered; see `HttpServer`. */
export async function createHttpServer<Principal>(
  options: HttpServerOptions<Principal>,
): Promise<HttpServer<Principal>> {
  const server = new HttpServer(options);
  await describeApi(server.app, options);
  return server;
}

/**
 * An HTTP API: zod schemas in, problem details (RFC 9457) out for every failure, its description (OpenAPI 3.1) at
 * /openapi.json. Register routes on `app`, then `listen`. Every route wants a token unless its `config` says
 * `public`. A body of type application/x-ndjson reaches the handler as an unread stream.
 */
export class HttpServer<Principal> implements AsyncDisposable {
  readonly app: HttpApp;
  readonly #limits: HttpLimits;
  readonly #authenticate: HttpServerOptions<Principal>['authenticate'];
  readonly #principals = new WeakMap<FastifyRequest, Principal>();
  readonly #scheme: 'http' | 'https';
  readonly #stack = new DisposableStack();

  constructor({ logger, authenticate, certificates, limits }: HttpServerOptions<Principal>) {
    this.#limits = { ...defaultHttpLimits, ...limits };
    this.#authenticate = authenticate;
    this.#scheme = certificates ? 'https' : 'http';
    this.app = fastify({
      loggerInstance: logger,
      logController: new RequestLog(),
      // Requests on open connections are served until the last one has ended.
      return503OnClosing: false,
      genReqId: () => randomUUID(),
      bodyLimit: this.#limits.bodyBytesMax,
      routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
      serverFactory: (handler) => this.#createServer(handler, certificates),
    }).withTypeProvider<ZodTypeProvider>();
    this.app.setValidatorCompiler(validatorCompiler);
    this.app.setSerializerCompiler(serializerCompiler);
    this.app.addContentTypeParser(ndjsonType, (_request, body, done) => done(null, body));
    this.app.addHook('onRequest', (request) => this.#admit(request));
    this.app.setErrorHandler(sendProblem);
    this.app.setNotFoundHandler((request) => {
      throw new DualhomeError('API_NOT_FOUND', { detail: `${request.method} ${request.url}` });
    });
  }

  /** Listens; port 0 lets the system choose. Returns the base URL. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<string> {
    await this.app.listen({ host, port });
    const { address, family, port: chosen } = this.app.server.address() as AddressInfo;
    return `${this.#scheme}://${family === 'IPv6' ? `[${address}]` : address}:${chosen}`;
  }

  /** Who sent the request; only on routes that are not public. */
  principalOf(request: FastifyRequest): Principal {
    const principal = this.#principals.get(request);
    if (principal === undefined) throw new DualhomeError('API_UNAUTHENTICATED');
    return principal;
  }

  /** Stops listening, lets open requests end within the limit, then cuts them. */
  async [Symbol.asyncDispose](): Promise<void> {
    const cut = setTimeout(() => this.app.server.closeAllConnections(), this.#limits.closeWithinMs);
    try {
      await this.app.close();
    } finally {
      clearTimeout(cut);
      this.#stack.dispose();
    }
  }

  async #admit(request: FastifyRequest): Promise<void> {
    if (request.routeOptions.config.public || request.is404) return;
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const principal = token === undefined ? undefined : await this.#authenticate(token);
    if (principal === undefined) throw new DualhomeError('API_UNAUTHENTICATED');
    this.#principals.set(request, principal);
  }

  #createServer(handler: FastifyServerFactoryHandler, certificates: CertificateStore | undefined): Server {
    const { connectionsMax, headersWithinMs, idleMs } = this.#limits;
    // A whole request may take as long as it makes progress: imports are streams.
    const timeouts = {
      headersTimeout: headersWithinMs,
      connectionsCheckingInterval: headersWithinMs,
      requestTimeout: 0,
      keepAliveTimeout: idleMs,
    };
    const server = certificates
      ? createTlsServer({ ...timeouts, ...certificates.current.options }, handler)
      : createPlainServer(timeouts, handler);
    if (certificates && 'setSecureContext' in server) this.#stack.use(certificates.attach(server));
    server.maxConnections = connectionsMax;
    server.setTimeout(idleMs);
    return server;
  }
}

function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = registeredErrorOf(thrown);
  const problem = problemOf(error, request.id);
  if (problem.status >= 500) request.log.error({ err: error }, 'request failed');
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  const retryAfterSeconds = error.facts['retryAfterSeconds'];
  if (typeof retryAfterSeconds === 'number') reply.header('retry-after', String(retryAfterSeconds));
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problemSchema.parse(problem));
}
