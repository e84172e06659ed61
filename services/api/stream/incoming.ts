import type { IncomingMessage } from 'node:http';

const events = ['readable', 'end', 'close', 'error'] as const;

/**
 * The chunks of a request body until its end or until `signal` aborts, which leaves the connection open for what is
 * still to be answered. @throws when the client breaks off
 */
export async function* incoming(body: IncomingMessage, signal: AbortSignal): AsyncGenerator<Buffer> {
  let news = Promise.withResolvers<void>();
  const tell = (): void => news.resolve();
  for (const event of events) body.on(event, tell);
  signal.addEventListener('abort', tell);
  try {
    while (!signal.aborted) {
      news = Promise.withResolvers();
      const chunk = body.read() as Buffer | null;
      if (chunk) yield chunk;
      else if (body.readableEnded) return;
      else if (body.destroyed) throw body.errored ?? new Error('the request was broken off');
      else await news.promise;
    }
  } finally {
    signal.removeEventListener('abort', tell);
    for (const event of events) body.off(event, tell);
  }
}
