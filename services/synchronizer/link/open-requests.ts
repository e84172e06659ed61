import { z } from 'zod';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import type { Response } from '../../protocol/link/frame.ts';
import type { RequestOptions } from '../ports.ts';
import { knownCode } from './said.ts';
import type { Session } from './session.ts';

type Waiting = { readonly resolve: (result: unknown) => void; readonly reject: (error: unknown) => void };

const answerWithinMs = 10_000;

/** The questions of this side that the peer has not answered yet; each waits for a limited time. */
export class OpenRequests {
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** See PeerLink.request. */
  async ask<T>(
    session: Session,
    method: string,
    params: unknown,
    result: z.ZodType<T>,
    { signal, timeoutMs = answerWithinMs }: RequestOptions,
  ): Promise<T> {
    signal?.throwIfAborted();
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const onAbort = (): void => reject(signal?.reason);
    const late = new DualhomeError('LINK_REQUEST_TIMEOUT', {
      detail: `${method}: no answer in ${timeoutMs} ms`,
    });
    const timer = setTimeout(() => reject(late), timeoutMs);
    this.#waiting.set(id, { resolve, reject });
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      // Where the connection fails, `failAll` says so.
      session.send('request', { id, method, params }).catch((error: unknown) => {
        if (isDualhomeError(error, 'LINK_FRAME_INVALID')) reject(error);
      });
      return parse(method, await promise, result);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
    }
  }

  /** An answer nobody waits for any more is dropped. */
  settle({ id, outcome }: Response): void {
    const waiting = this.#waiting.get(id);
    if (outcome.ok) return waiting?.resolve(outcome.result);
    const { code, detail, facts } = outcome;
    const known = knownCode(code);
    const error = new DualhomeError(known ?? 'LINK_REQUEST_FAILED', {
      detail: known ? detail : `${code}: ${detail}`,
      facts: { ...facts, saidBy: 'peer' },
    });
    return waiting?.reject(error);
  }

  /** The link is down: nobody will answer. */
  failAll(error: DualhomeError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

function parse<T>(method: string, answer: unknown, result: z.ZodType<T>): T {
  const parsed = result.safeParse(answer);
  if (parsed.success) return parsed.data;
  const detail = `the answer to ${method}: ${z.prettifyError(parsed.error)}`;
  throw new DualhomeError('LINK_REQUEST_INVALID', { detail, cause: parsed.error });
}
