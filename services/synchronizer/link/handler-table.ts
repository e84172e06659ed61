import { z } from 'zod';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { Request, Response } from '../../protocol/link/frame.ts';
import { requestsMax } from '../../protocol/link/limits.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { RequestContext, RequestHandlers } from '../ports.ts';

type Handler = {
  readonly params: z.ZodType;
  readonly handle: (params: never, context: RequestContext) => Promise<unknown>;
};

/** What this site answers, by method. */
export class HandlerTable implements RequestHandlers {
  readonly #handlers = new Map<string, Handler>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  register<P>(
    method: string,
    params: z.ZodType<P>,
    handle: (params: P, context: RequestContext) => Promise<unknown>,
  ): Disposable {
    if (this.#handlers.has(method)) throw new Error(`${method} has a handler already`);
    this.#handlers.set(method, { params, handle });
    return { [Symbol.dispose]: () => this.#handlers.delete(method) };
  }

  /** Never throws: whatever goes wrong is the answer. */
  async answer({ id, method, params }: Request, context: RequestContext): Promise<Response> {
    try {
      const result = await this.#handle(method, params, context);
      return { id, outcome: { ok: true, result: result ?? null } };
    } catch (error) {
      if (!(error instanceof DualhomeError)) {
        this.#log.error({ err: error, method, peer: context.peer }, 'a request of the peer failed');
        return refusal(id, new DualhomeError('LINK_REQUEST_FAILED', { detail: messageOf(error) }));
      }
      this.#log.debug({ err: error, method, peer: context.peer }, 'a request of the peer was refused');
      return refusal(id, error);
    }
  }

  async #handle(method: string, params: unknown, context: RequestContext): Promise<unknown> {
    const handler = this.#handlers.get(method);
    if (!handler) throw new DualhomeError('LINK_REQUEST_UNKNOWN', { detail: method });
    const parsed = handler.params.safeParse(params);
    if (!parsed.success) {
      throw new DualhomeError('LINK_REQUEST_INVALID', {
        detail: `${method}: ${z.prettifyError(parsed.error)}`,
      });
    }
    return handler.handle(parsed.data as never, context);
  }
}

/** The answer that `error` is. */
export function refusal(id: number, { code, detail, facts }: DualhomeError): Response {
  return { id, outcome: { ok: false, code, detail: detail ?? '', facts } };
}

/** Counts the requests of one connection, so that a peer cannot ask without end. */
export class RequestLimit {
  #open = 0;

  /** Runs `work` unless as many are running as may. */
  async run(id: number, work: () => Promise<Response>): Promise<Response> {
    if (this.#open >= requestsMax) return refusal(id, new DualhomeError('LINK_REQUESTS_MAX'));
    this.#open += 1;
    try {
      return await work();
    } finally {
      this.#open -= 1;
    }
  }
}
