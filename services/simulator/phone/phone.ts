import { randomBytes } from 'node:crypto';
import { parseExpirySeconds } from '../../sip/message/fields.ts';
import type { Request, Response } from '../../sip/message/message.ts';
import { parseDatagram } from '../../sip/message/parse.ts';
import { buildCancel, buildRequest } from '../../sip/message/request.ts';
import { buildResponse } from '../../sip/message/response.ts';
import type { ServerTransaction } from '../../sip/transaction/transaction.ts';
import type { Endpoint } from '../../sip/transport/received.ts';
import { Authentication } from '../user-agent/authentication.ts';
import type { HeaderLine } from '../user-agent/authentication.ts';
import { UserAgent } from '../user-agent/user-agent.ts';
import { hostPort, newVia } from '../user-agent/via.ts';
import { Call, recordRoutesOf } from './call.ts';
import { dialogOfCalled, dialogOfCaller } from './dialog.ts';
import { IncomingCall } from './incoming-call.ts';

export type PhoneOptions = {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  /** Local address it sends from. */
  readonly address?: string | undefined;
  /** Its +sip.instance; none, as with simple phones, unless given. */
  readonly instance?: string | undefined;
};

/** How a call came out: the final response, and the call where it was answered. */
export type CallOutcome = {
  /** 408 where nobody answered. */
  readonly status: number;
  readonly response: Response | undefined;
  readonly call: Call | undefined;
};

/** A call that is being set up. */
export type Dialling = {
  /** Resolves with the first 180; undefined where it ended before. */
  readonly ringing: Promise<Response | undefined>;
  readonly outcome: Promise<CallOutcome>;
  /** Gives up; the outcome is then usually 487. */
  cancel(): void;
};

const challengesMax = 2;

/** A telephone that a program uses: it registers, calls, rings, answers and hangs up. */
export class Phone implements AsyncDisposable {
  readonly options: PhoneOptions;
  /** Requests that came outside of calls, such as MESSAGE, newest last. */
  readonly messages: Request[] = [];
  readonly #tag = randomBytes(6).toString('hex');
  readonly #callId = randomBytes(9).toString('base64url');
  readonly #authentications = new Map<string, Authentication>();
  readonly #calls = new Map<string, Call>();
  readonly #incoming: IncomingCall[] = [];
  readonly #ringing = new Map<string, IncomingCall>();
  #wanted: PromiseWithResolvers<IncomingCall> | undefined;
  #userAgent: UserAgent | undefined;
  #site: Endpoint | undefined;
  #cseq = 0;

  private constructor(options: PhoneOptions) {
    this.options = options;
  }

  static async open(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(options);
    phone.#userAgent = await UserAgent.open({
      address: options.address ?? '127.0.0.1',
      onRequest: (request, transaction) => phone.#onRequest(request, transaction),
      onAck: (request) => phone.#calls.get(request.callId ?? '')?.onAck(),
    });
    return phone;
  }

  get aor(): string {
    return `${this.options.user}@${this.options.domain}`;
  }

  get userAgent(): UserAgent {
    if (!this.#userAgent) throw new Error('the phone is not open');
    return this.#userAgent;
  }

  /** Registers at a site, which calls go to from now on; 0 seconds end the registration there. Gives the final response. */
  async register(site: Endpoint, expiresSeconds = 120): Promise<Response | undefined> {
    const uri = `sip:${this.options.domain}`;
    const response = await this.send('REGISTER', uri, site, {
      callId: this.#callId,
      headers: [
        ['Contact', this.#contact()],
        ['Expires', String(expiresSeconds)],
      ],
    });
    if (response && response.status < 300 && expiresSeconds > 0) this.#site = site;
    return response;
  }

  /** What the registrar granted for this phone's own contact; undefined where it did not. */
  grantedSeconds(response: Response): number | undefined {
    const own = response.addresses('contact')?.find(({ uriText }) => uriText === this.#contactUri());
    return parseExpirySeconds(own?.params.get('expires')) ?? parseExpirySeconds(response.value('expires'));
  }

  /** Sends a request outside of calls, answers challenges, and gives the final response; undefined for none. */
  async send(
    method: string,
    uri: string,
    site: Endpoint,
    options: { readonly callId?: string; readonly headers?: readonly HeaderLine[] } = {},
  ): Promise<Response | undefined> {
    const authentication = this.#authenticationAt(site);
    const { callId = randomBytes(9).toString('base64url'), headers = [] } = options;
    for (let challenged = 0; ; challenged += 1) {
      const all = [...headers, ...authentication.headers(method, uri)];
      const bytes = this.#build(method, uri, callId, all);
      const response = await this.#ask(bytes, site);
      if (!response || challenged >= challengesMax || !authentication.take(response)) return response;
    }
  }

  /** Calls a SIP URI, or what was dialled, by the site it is registered at. */
  dial(
    target: string,
    options: { readonly site?: Endpoint; readonly headers?: readonly HeaderLine[] } = {},
  ): Dialling {
    const site = options.site ?? this.#site;
    if (!site) throw new Error('the phone is not registered');
    const uri = target.includes(':') ? target : `sip:${target}@${this.options.domain}`;
    const ringing = Promise.withResolvers<Response | undefined>();
    const outcome = Promise.withResolvers<CallOutcome>();
    const callId = randomBytes(9).toString('base64url');
    let cancel = (): void => undefined;
    const authentication = this.#authenticationAt(site);
    const attempt = (challenged: number): void => {
      const headers = [
        ['Contact', this.#contact()] as const,
        ...(options.headers ?? []),
        ...authentication.headers('INVITE', uri),
      ];
      const bytes = this.#build('INVITE', uri, callId, headers);
      const invite = parseDatagram(bytes);
      if (invite.kind !== 'request') throw new Error('an INVITE of ours is none');
      cancel = () => this.#cancel(invite, site);
      this.userAgent.send(bytes, site, {
        onProvisional: (response) => {
          if (response.status === 180) ringing.resolve(response);
        },
        onFinal: (response) => {
          if (challenged < challengesMax && authentication.take(response)) return attempt(challenged + 1);
          ringing.resolve(undefined);
          const call = response.status < 300 ? this.#callOf(invite, response) : undefined;
          outcome.resolve({ status: response.status, response, call });
        },
        onSilence: () => {
          ringing.resolve(undefined);
          outcome.resolve({ status: 408, response: undefined, call: undefined });
        },
      });
    };
    attempt(0);
    return { ringing: ringing.promise, outcome: outcome.promise, cancel: () => cancel() };
  }

  /** The next call that comes or has come and was not taken by an earlier question. */
  async nextCall(): Promise<IncomingCall> {
    const waiting = this.#incoming.shift();
    if (waiting) return waiting;
    this.#wanted ??= Promise.withResolvers();
    return this.#wanted.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const call of this.#calls.values()) call[Symbol.dispose]();
    await this.#userAgent?.[Symbol.asyncDispose]();
  }

  #authenticationAt({ address, port }: Endpoint): Authentication {
    const place = `${address} ${port}`;
    const known = this.#authentications.get(place);
    if (known) return known;
    const authentication = new Authentication(this.options.user, this.options.password);
    this.#authentications.set(place, authentication);
    return authentication;
  }

  #contactUri(): string {
    return `sip:${this.options.user}@${hostPort(this.userAgent.endpoint)}`;
  }

  #contact(): string {
    const { instance } = this.options;
    return `<${this.#contactUri()}>${instance === undefined ? '' : `;+sip.instance="<${instance}>"`}`;
  }

  #build(method: string, uri: string, callId: string, headers: readonly HeaderLine[]): Buffer {
    return buildRequest({
      method,
      uri,
      via: newVia(this.userAgent.endpoint),
      from: `<sip:${this.aor}>;tag=${this.#tag}`,
      to: method === 'REGISTER' ? `<sip:${this.aor}>` : `<${uri}>`,
      callId,
      cseq: (this.#cseq += 1),
      headers,
    });
  }

  #ask(bytes: Buffer, site: Endpoint): Promise<Response | undefined> {
    const { promise, resolve } = Promise.withResolvers<Response | undefined>();
    this.userAgent.send(bytes, site, { onFinal: resolve, onSilence: () => resolve(undefined) });
    return promise;
  }

  #cancel(invite: Request, site: Endpoint): void {
    const ignored = { onFinal: () => undefined, onSilence: () => undefined };
    this.userAgent.send(buildCancel(invite), site, ignored);
  }

  /** The call a 2xx has made, acknowledged; a repeated 2xx is acknowledged again. */
  #callOf(invite: Request, response: Response): Call {
    const callId = invite.callId ?? '';
    const call =
      this.#calls.get(callId) ?? new Call(dialogOfCaller(invite, response), this.userAgent, this.#contact());
    this.#calls.set(callId, call);
    call.acknowledge();
    return call;
  }

  #onRequest(request: Request, transaction: ServerTransaction<Endpoint>): void {
    const call = this.#calls.get(request.callId ?? '');
    const isInDialog = request.to?.params.has('tag') ?? false;
    if (isInDialog && call) return call.onRequest(request, transaction);
    if (isInDialog) return this.#respond(request, transaction, 481);
    if (request.method === 'INVITE') return this.#ring(request, transaction);
    if (request.method === 'CANCEL') return this.#cancelled(request, transaction);
    this.messages.push(request);
    this.#respond(request, transaction, 200);
  }

  #ring(invite: Request, transaction: ServerTransaction<Endpoint>): void {
    const toTag = randomBytes(6).toString('hex');
    const incoming = new IncomingCall(invite, {
      respond: (status, headers) => this.#respond(invite, transaction, status, { toTag, headers }),
      accept: () => {
        const call = new Call(dialogOfCalled(invite, toTag), this.userAgent, this.#contact());
        this.#calls.set(invite.callId ?? '', call);
        call.answer(invite, transaction, toTag);
        return call;
      },
    });
    if (this.#wanted) this.#wanted.resolve(incoming);
    else this.#incoming.push(incoming);
    this.#wanted = undefined;
    this.#ringing.set(`${invite.callId} ${invite.via?.params.get('branch')}`, incoming);
  }

  #cancelled(cancel: Request, transaction: ServerTransaction<Endpoint>): void {
    const incoming = this.#ringing.get(`${cancel.callId} ${cancel.via?.params.get('branch')}`);
    this.#respond(cancel, transaction, incoming ? 200 : 481);
    incoming?.cancelled();
  }

  #respond(
    request: Request,
    transaction: ServerTransaction<Endpoint>,
    status: number,
    { toTag = this.#tag, headers = [] }: { toTag?: string; headers?: readonly HeaderLine[] } = {},
  ): void {
    const all = [...(status > 100 && status < 300 ? recordRoutesOf(request) : []), ...headers];
    this.userAgent.respond(transaction, status, buildResponse(request, status, { toTag, headers: all }));
  }
}
