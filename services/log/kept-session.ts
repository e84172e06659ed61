import { openPipeline } from '../platform/postgres/pipeline.ts';
import type { PipelineSession } from '../platform/postgres/pipeline.ts';
import type { ConnectionOptions } from '../platform/postgres/connection.ts';
import { steadyPlans } from './steady-plans.ts';

/** One pipelined connection to a database, opened when needed and anew after it was lost. */
export class KeptSession implements AsyncDisposable {
  readonly #options: ConnectionOptions;
  #opening: Promise<PipelineSession> | undefined;
  #current: PipelineSession | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** @throws POSTGRES_UNREACHABLE, POSTGRES_REFUSED */
  async open(): Promise<PipelineSession> {
    if (this.#current && !this.#current.lost) return this.#current;
    this.#opening ??= this.#reopen().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Gives up the connection, whatever is under way on it. */
  async drop(): Promise<void> {
    const session = this.#current;
    this.#current = undefined;
    await session?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await this.drop();
  }

  async #reopen(): Promise<PipelineSession> {
    await this.drop();
    this.#current = await openPipeline({ ...this.#options, settings: steadyPlans });
    return this.#current;
  }
}
