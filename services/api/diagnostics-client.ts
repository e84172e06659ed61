import { HttpClient } from '../platform/http/client.ts';
import type { RequestOptions } from '../platform/http/client.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';
import type { Address } from '../protocol/program-config.ts';

const TIMEOUT_MS = 10_000;

/** Another program of this site, asked over its diagnostics port; `unreachable` is what it is when it does not answer. */
export class DiagnosticsClient implements Disposable {
  readonly #client: HttpClient;
  readonly #unreachable: ErrorCode;

  constructor({ host, port }: Address, unreachable: ErrorCode) {
    const name = host.includes(':') ? `[${host}]` : host;
    this.#client = new HttpClient({ baseUrl: `http://${name}:${port}`, timeoutMs: TIMEOUT_MS });
    this.#unreachable = unreachable;
  }

  /** @throws the code of an unreachable program; what the program refused it with */
  ask<T>(path: string, options: RequestOptions<T>): Promise<T> {
    return this.#request('GET', path, options);
  }

  /** @throws as `ask` */
  tell<T>(path: string, options: RequestOptions<T>): Promise<T> {
    return this.#request('POST', path, options);
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  async #request<T>(method: 'GET' | 'POST', path: string, options: RequestOptions<T>): Promise<T> {
    try {
      return await this.#client.request(method, path, options);
    } catch (error) {
      if (!(error instanceof DualhomeError) || !silence.has(error.code)) throw error;
      throw new DualhomeError(this.#unreachable, { detail: error.detail, cause: error });
    }
  }
}

const silence = new Set(['API_UNREACHABLE', 'API_TIMEOUT']);
