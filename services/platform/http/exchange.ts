import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';

/**
 * One request with its answer. Whoever ends it early says why with `fail`; Node then reports some broken
 * connection, which `reason` explains.
 *
 * Invariant: the first reason counts, and no error of the request is ever unhandled.
 */
export class Exchange implements Disposable {
  readonly request: ClientRequest;
  readonly #stack = new DisposableStack();
  #reason: { readonly error: unknown } | undefined;

  constructor(request: ClientRequest, signal: AbortSignal | undefined) {
    this.request = request;
    request.on('error', () => undefined);
    this.#stack.defer(() => request.destroy());
    if (signal) this.#failOnAbort(signal);
  }

  fail(error: unknown): void {
    this.#reason ??= { error };
    this.request.destroy();
  }

  /** The head of the answer; its body is read from it. */
  async response(): Promise<IncomingMessage> {
    const [response] = (await once(this.request, 'response')) as [IncomingMessage];
    return response;
  }

  /** The reason given to `fail`, if there was one. */
  get reason(): { readonly error: unknown } | undefined {
    return this.#reason;
  }

  /** Ends the request if it has not ended; a connection that is done is kept for the next one. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  #failOnAbort(signal: AbortSignal): void {
    const onAbort = (): void => this.fail(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    this.#stack.defer(() => signal.removeEventListener('abort', onAbort));
  }
}
