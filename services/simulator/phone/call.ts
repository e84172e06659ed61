import type { Request, Response } from '../../sip/message/message.ts';
import { buildResponse } from '../../sip/message/response.ts';
import type { ServerTransaction } from '../../sip/transaction/transaction.ts';
import type { Endpoint } from '../../sip/transport/received.ts';
import type { HeaderLine } from '../user-agent/authentication.ts';
import type { UserAgent } from '../user-agent/user-agent.ts';
import { buildInDialog, nextHopOf } from './dialog.ts';
import type { Dialog } from './dialog.ts';

type Transaction = ServerTransaction<Endpoint>;

/** T1 and 64 * T1 (RFC 3261 table 4): how a 2xx is repeated until its ACK comes. */
const repeatMs = 500;
const repeatMsMax = 32_000;

/** A call that was answered, as one of its ends has it. */
export class Call implements Disposable {
  readonly dialog: Dialog;
  /** Requests that came within it, newest last. */
  readonly received: Request[] = [];
  readonly #userAgent: UserAgent;
  readonly #contact: string;
  readonly #ended = Promise.withResolvers<'here' | 'there'>();
  readonly #acknowledged = Promise.withResolvers<boolean>();
  #repeating: NodeJS.Timeout | undefined;

  constructor(dialog: Dialog, userAgent: UserAgent, contact: string) {
    this.dialog = dialog;
    this.#userAgent = userAgent;
    this.#contact = contact;
  }

  /** Resolves when it has ended, with which side hung up. */
  get ended(): Promise<'here' | 'there'> {
    return this.#ended.promise;
  }

  /** At the called: resolves with whether the other end has acknowledged the answer, in time and before the end. */
  get acknowledged(): Promise<boolean> {
    return this.#acknowledged.promise;
  }

  /** Sends a request within the call; `through` goes another way than the first Route says: via the phone's new site. */
  request(
    method: string,
    options: { readonly headers?: readonly HeaderLine[]; readonly through?: Endpoint | undefined } = {},
  ): Promise<Response | undefined> {
    const { headers = [], through } = options;
    const { promise, resolve } = Promise.withResolvers<Response | undefined>();
    const to = through ?? nextHopOf(this.dialog);
    const all = [['Contact', this.#contact] as const, ...headers];
    this.#userAgent.send(buildInDialog(this.dialog, method, this.#userAgent.endpoint, all), to, {
      onFinal: (response) => {
        if (method === 'INVITE' && response.status < 300) this.acknowledge(through);
        resolve(response);
      },
      onSilence: () => resolve(undefined),
    });
    return promise;
  }

  /** Hangs up; undefined where nobody answered. */
  async bye(through?: Endpoint): Promise<Response | undefined> {
    const response = await this.request('BYE', { through });
    this.#end('here');
    return response;
  }

  /** The ACK for a 2xx, which is a request of its own (section 13.2.2.4). */
  acknowledge(through?: Endpoint): void {
    const ack = buildInDialog(this.dialog, 'ACK', this.#userAgent.endpoint);
    this.#userAgent.sendAlone(ack, through ?? nextHopOf(this.dialog));
  }

  /** Answers the INVITE with 200 and repeats it until the ACK comes (section 13.3.1.4). */
  answer(invite: Request, transaction: Transaction, toTag: string): void {
    const headers = [['Contact', this.#contact], ...recordRoutesOf(invite)] as const;
    const bytes = buildResponse(invite, 200, { toTag, headers });
    const send = (waitMs: number, sentMs: number): void => {
      this.#userAgent.respond(transaction, 200, bytes);
      if (sentMs >= repeatMsMax) return this.#acknowledged.resolve(false);
      this.#repeating = setTimeout(() => send(Math.min(2 * waitMs, 4_000), sentMs + waitMs), waitMs);
      this.#repeating.unref();
    };
    send(repeatMs, 0);
  }

  onAck(): void {
    clearTimeout(this.#repeating);
    this.#acknowledged.resolve(true);
  }

  /** The phone is off: nothing is sent any more. */
  [Symbol.dispose](): void {
    this.#end('here');
  }

  /** A request within the call came. */
  onRequest(request: Request, transaction: Transaction): void {
    this.received.push(request);
    if (request.method === 'INVITE') {
      this.dialog.remoteTarget = request.addresses('contact')?.[0]?.uriText ?? this.dialog.remoteTarget;
      return this.answer(request, transaction, '');
    }
    this.#userAgent.respond(transaction, 200, buildResponse(request, 200));
    if (request.method === 'BYE') this.#end('there');
  }

  #end(by: 'here' | 'there'): void {
    clearTimeout(this.#repeating);
    this.#acknowledged.resolve(false);
    this.#ended.resolve(by);
  }
}

/** Responses that make a dialog carry Record-Route back as it came (section 12.1.1). */
export function recordRoutesOf(invite: Request): readonly HeaderLine[] {
  return invite.lines('record-route').map((value) => ['Record-Route', value] as const);
}
