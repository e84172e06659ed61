import type { Logger } from '../platform/logging/logger.ts';
import type { Request } from '../sip/message/message.ts';
import { isSip } from '../sip/message/uri.ts';
import type { Flow } from '../sip/transport/flow-token.ts';
import type { Dispatcher } from './dispatch/dispatcher.ts';
import { sourceOf } from './dispatch/facts.ts';
import type { Proxy } from './proxy/proxy.ts';
import type { Engine, Incoming, RequestUser } from './engine/engine.ts';
import { isServed } from './handshake.ts';
import type { Expiry } from './registrar/expiry.ts';
import type { OutboundConnections } from './registrar/outbound-connections.ts';
import type { Registrar } from './registrar/registrar.ts';
import type { Transports } from './transport/transports.ts';
import type { SourceLimits } from './transport/source-limits.ts';

/** Who serves what. */
export type RequestsParts = {
  readonly engine: Engine;
  readonly transports: Transports;
  readonly dispatcher: Dispatcher;
  readonly registrar: Registrar;
  readonly proxy: Proxy;
  readonly expiry: Expiry;
  readonly connections: OutboundConnections;
  readonly limits: SourceLimits;
  readonly log: Logger;
};

const methods =
  'REGISTER, OPTIONS, INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, INFO, MESSAGE, NOTIFY, SUBSCRIBE, REFER, PUBLISH';

/** Hands each request to whoever serves its method. */
export class Requests implements RequestUser {
  #parts: RequestsParts | undefined;

  /** Begins to serve; nothing is received before. */
  serve(parts: RequestsParts): void {
    this.#parts = parts;
  }

  admit(address: string): boolean {
    return this.#parts?.limits.admit(address) ?? false;
  }

  onRequest(request: Request, transaction: Incoming, flow: Flow, cancels?: Incoming): void {
    const parts = this.#parts;
    if (!parts) return;
    if (request.method === 'REGISTER') void parts.registrar.register(request, transaction, flow);
    else if (isForUs(request)) void shakeHands(parts, request, transaction, flow);
    else parts.proxy.onRequest(request, transaction, flow, cancels);
  }

  onAck(request: Request, flow: Flow): void {
    this.#parts?.proxy.onAck(request, flow);
  }

  onClosed(flow: Flow): void {
    if (!this.#parts) return;
    const { connections, expiry, proxy } = this.#parts;
    proxy.onClosed(flow);
    void expiry.lost(connections.lost(flow.connection));
  }
}

/** OPTIONS that asks this element, not a subscriber (RFC 3261 section 11). */
function isForUs({ method, uri }: Request): boolean {
  return method === 'OPTIONS' && uri !== undefined && isSip(uri) && uri.user === undefined;
}

async function shakeHands(
  { engine, transports, dispatcher, log }: RequestsParts,
  request: Request,
  transaction: Incoming,
  flow: Flow,
): Promise<void> {
  const certificateSha256 = transports.identity(flow)?.fingerprint ?? null;
  const sender = { source: sourceOf(flow), certificateSha256 };
  const served = await isServed(dispatcher, request, sender).catch((error: unknown) => {
    log.error({ err: error }, 'an OPTIONS could not be served');
    return false;
  });
  const headers = [
    ['Allow', methods],
    ['Supported', 'path, outbound'],
  ] as const;
  engine.answer(request, transaction, served ? 200 : 503, served ? { headers } : {});
}
