import { HttpClient } from '../platform/http/client.ts';
import { DualhomeError } from '../protocol/errors/index.ts';
import type { Address } from '../protocol/program-config.ts';
import { jobPreviewSchema } from '../protocol/rest/jobs.ts';
import type { JobPreview, JobRequest } from '../protocol/rest/jobs.ts';
import { statusSchema } from '../protocol/status.ts';
import type { Status } from '../protocol/status.ts';

const TIMEOUT_MS = 10_000;

/** This site's synchronizer, asked over its diagnostics port. */
export class Synchronizer implements Disposable {
  readonly #client: HttpClient;

  constructor({ host, port }: Address) {
    const name = host.includes(':') ? `[${host}]` : host;
    this.#client = new HttpClient({ baseUrl: `http://${name}:${port}`, timeoutMs: TIMEOUT_MS });
  }

  /** How replication stands. @throws SYNCHRONIZER_UNREACHABLE, API_ANSWER_INVALID */
  status(): Promise<Status> {
    return this.#ask(() => this.#client.request('GET', '/status', { answer: statusSchema }));
  }

  /** What a transfer would do. @throws SYNCHRONIZER_UNREACHABLE; what the synchronizer refused it with, such as LINK_DOWN */
  preview(job: JobRequest): Promise<JobPreview> {
    const query = { job: JSON.stringify(job) };
    return this.#ask(() => this.#client.request('GET', '/preview', { query, answer: jobPreviewSchema }));
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof DualhomeError) || !unreachable.has(error.code)) throw error;
      throw new DualhomeError('SYNCHRONIZER_UNREACHABLE', { detail: error.detail, cause: error });
    }
  }
}

const unreachable = new Set(['API_UNREACHABLE', 'API_TIMEOUT']);
