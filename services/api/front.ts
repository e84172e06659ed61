import { HttpClient } from '../platform/http/client.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import type { Address } from '../protocol/program-config.ts';
import {
  callExplanationSchema,
  dispatchExplanationSchema,
  dispatchTableSchema,
} from '../protocol/rest/dispatch.ts';
import type {
  CallExplainQuery,
  CallExplanation,
  DispatchExplanation,
  DispatchTable,
} from '../protocol/rest/dispatch.ts';

const TIMEOUT_MS = 10_000;

/** This site's front, asked over its diagnostics port. */
export class Front implements Disposable {
  readonly #client: HttpClient;

  constructor({ host, port }: Address) {
    const name = host.includes(':') ? `[${host}]` : host;
    this.#client = new HttpClient({ baseUrl: `http://${name}:${port}`, timeoutMs: TIMEOUT_MS });
  }

  /** The dispatch table in effect. @throws FRONT_UNREACHABLE, API_ANSWER_INVALID */
  dispatchTable(): Promise<DispatchTable> {
    return this.#ask(() => this.#client.request('GET', '/dispatch', { answer: dispatchTableSchema }));
  }

  /** Which processor decides about an address, and why. @throws FRONT_UNREACHABLE, API_ANSWER_INVALID */
  explainDispatch(aor: string): Promise<DispatchExplanation> {
    const options = { query: { aor }, answer: dispatchExplanationSchema };
    return this.#ask(() => this.#client.request('GET', '/dispatch/explain', options));
  }

  /** What would become of a call. @throws FRONT_UNREACHABLE, API_ANSWER_INVALID */
  explainCall(query: CallExplainQuery): Promise<CallExplanation> {
    const options = { query, answer: callExplanationSchema };
    return this.#ask(() => this.#client.request('GET', '/dispatch/explain-call', options));
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof DualhomeError) || !unreachable.has(error.code)) throw error;
      throw new DualhomeError('FRONT_UNREACHABLE', { detail: error.detail, cause: error });
    }
  }
}

const unreachable = new Set(['API_UNREACHABLE', 'API_TIMEOUT']);
