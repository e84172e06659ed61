import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { errorOfProblem } from '../../protocol/errors/problem.ts';
import type { Secret } from '../logging/secret.ts';
import { networkErrorOf } from './client-errors.ts';
import { Exchange } from './exchange.ts';
import { ndjsonStream, ndjsonType, readNdjson } from './ndjson.ts';
import { parseJson } from './parse-json.ts';

export type HttpClientOptions = {
  /** http: or https:, with the path all requests are below. */
  readonly baseUrl: string;
  /** Bearer token (RFC 6750). */
  readonly token?: Secret | undefined;
  /** PEM of the authorities to trust instead of the public ones. */
  readonly authoritiesPem?: readonly string[] | undefined;
  /** For a whole request with its answer; a stream may last, but not be silent, that long. */
  readonly timeoutMs?: number | undefined;
  readonly answerBytesMax?: number | undefined;
};

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A list gives its name several times. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

type CommonOptions<T> = {
  /** What the answer, or each line of it, must look like; `z.undefined()` for an empty one. */
  readonly answer: z.ZodType<T>;
  readonly query?: Query | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type RequestOptions<T> = CommonOptions<T> & { readonly body?: unknown };

/** `lines` (one JSON line each), or `chunks` as they are, are sent while the answer is being read. */
export type StreamOptions<T> = CommonOptions<T> & {
  readonly lines?: AsyncIterable<unknown> | Iterable<unknown> | undefined;
  readonly chunks?: { readonly type: string; readonly bytes: AsyncIterable<Uint8Array> } | undefined;
};

export type DownloadOptions = Pick<CommonOptions<unknown>, 'query' | 'headers' | 'signal'>;

/**
 * Requests to one HTTP API over kept-alive connections. Every failure is a DualhomeError: the server's own (from
 * its problem details), API_UNREACHABLE, API_TIMEOUT, API_ANSWER_INVALID, TLS_CERTIFICATE_…; an abort rejects with
 * the signal's reason.
 */
export class HttpClient implements Disposable {
  readonly #options: HttpClientOptions;
  readonly #agent: PlainAgent | TlsAgent;
  readonly #timeoutMs: number;

  constructor(options: HttpClientOptions) {
    const { baseUrl, authoritiesPem, timeoutMs = 30_000 } = options;
    const pool = { keepAlive: true, maxSockets: 16 };
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    this.#agent = baseUrl.startsWith('https:')
      ? new TlsAgent({ ...pool, ...(authoritiesPem ? { ca: [...authoritiesPem] } : {}) })
      : new PlainAgent(pool);
  }

  /** Sends `body` as JSON and returns the checked answer. */
  async request<T>(method: Method, path: string, options: RequestOptions<T>): Promise<T> {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    using exchange = this.#open(method, path, options, body === undefined ? undefined : 'application/json');
    using _timer = after(this.#timeoutMs, () => exchange.fail(this.#timeout()));
    try {
      exchange.request.end(body);
      const response = await exchange.response();
      const text = await this.#readText(response);
      if (!isSuccess(response)) throw problemIn(text, response);
      const answer = parseJson(text, options.answer);
      if (!answer.ok) throw new DualhomeError('API_ANSWER_INVALID', { detail: `${path}: ${answer.reason}` });
      return answer.value;
    } catch (error) {
      throw this.#failureOf(exchange, error);
    }
  }

  /** Sends and receives NDJSON at the same time. Leaving the loop early ends the request. */
  async *stream<T>(method: Method, path: string, options: StreamOptions<T>): AsyncGenerator<T> {
    const { lines, chunks } = options;
    using exchange = this.#open(method, path, options, chunks?.type ?? (lines && ndjsonType));
    exchange.request.setTimeout(this.#timeoutMs, () => exchange.fail(this.#timeout()));
    void sendBody(exchange, (source) =>
      chunks ? Readable.from(source(chunks.bytes)) : ndjsonStream(source(lines ?? [])),
    );
    try {
      const response = await exchange.response();
      if (!isSuccess(response)) throw problemIn(await this.#readText(response), response);
      yield* readNdjson(response, options.answer, { invalid: 'API_ANSWER_INVALID' });
    } catch (error) {
      throw this.#failureOf(exchange, error);
    }
  }

  /** The bytes of an answer as they come. Leaving the loop early ends the request. */
  async *download(path: string, options: DownloadOptions): AsyncGenerator<Buffer> {
    using exchange = this.#open('GET', path, options, undefined);
    exchange.request.setTimeout(this.#timeoutMs, () => exchange.fail(this.#timeout()));
    try {
      exchange.request.end();
      const response = await exchange.response();
      if (!isSuccess(response)) throw problemIn(await this.#readText(response), response);
      yield* response as AsyncIterable<Buffer>;
    } catch (error) {
      throw this.#failureOf(exchange, error);
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #open(method: Method, path: string, options: DownloadOptions, type: string | undefined): Exchange {
    const { baseUrl, token } = this.#options;
    const url = new URL(`${baseUrl.replace(/\/$/, '')}${path}`);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== undefined) url.searchParams.append(name, String(each));
      }
    }
    const headers = {
      ...options.headers,
      ...(token ? { authorization: `Bearer ${token.reveal()}` } : {}),
      ...(type ? { 'content-type': type } : {}),
    };
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
    return new Exchange(send(url, { method, headers, agent: this.#agent }), options.signal);
  }

  async #readText(response: IncomingMessage): Promise<string> {
    const { answerBytesMax = 16_777_216 } = this.#options;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > answerBytesMax) {
        throw new DualhomeError('API_ANSWER_INVALID', { detail: `larger than ${answerBytesMax} bytes` });
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  #timeout(): DualhomeError {
    return new DualhomeError('API_TIMEOUT', { detail: `${this.#options.baseUrl}: ${this.#timeoutMs} ms` });
  }

  #failureOf(exchange: Exchange, error: unknown): unknown {
    return exchange.reason ? exchange.reason.error : networkErrorOf(error, this.#options.baseUrl);
  }
}

/** Feeds the request; a failure of the source itself ends the exchange with it. */
async function sendBody(
  exchange: Exchange,
  open: (source: <T>(items: AsyncIterable<T> | Iterable<T>) => AsyncGenerator<T>) => Readable,
): Promise<void> {
  const body = open(async function* source(items) {
    try {
      yield* items;
    } catch (error) {
      exchange.fail(error);
    }
  });
  // A connection that breaks shows in the answer, which somebody is reading.
  await pipeline(body, exchange.request).catch(() => undefined);
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function problemIn(text: string, { statusCode = 0 }: IncomingMessage): DualhomeError {
  const body = parseJson(text, z.unknown());
  return errorOfProblem(body.ok ? body.value : undefined, statusCode);
}

function after(ms: number, act: () => void): Disposable {
  const timer = setTimeout(act, ms);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
