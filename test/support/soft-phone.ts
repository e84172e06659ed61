import { answerChallenge, parseChallenge } from '../../services/sip/auth/challenge.ts';
import { digestHa1 } from '../../services/sip/auth/digest.ts';
import { formatAddress } from '../../services/sip/message/address.ts';
import { Params } from '../../services/sip/message/params.ts';
import type { Request, Response } from '../../services/sip/message/message.ts';
import { parseDatagram } from '../../services/sip/message/parse.ts';
import { buildCancel, buildRequest } from '../../services/sip/message/request.ts';
import { magicCookie } from '../../services/sip/message/via.ts';
import type { Flow } from '../../services/sip/transport/flow-token.ts';
import type { Transport } from '../../services/sip/transport/locate.ts';
import { Engine } from '../../services/front/engine/engine.ts';
import type { Incoming, Outgoing } from '../../services/front/engine/engine.ts';
import { Transports } from '../../services/front/transport/transports.ts';
import { systemClock } from '../../services/platform/lifecycle/clock.ts';
import type { CertificateStore } from '../../services/platform/tls/certificate-store.ts';
import { Arrivals } from './arrivals.ts';

export type PhoneOptions = {
  readonly user: string;
  readonly domain?: string;
  readonly password?: string;
  readonly transport?: 'udp' | 'tcp';
  /** Its +sip.instance; one of its own unless given. */
  readonly instance?: string;
};

type Server = { readonly host: string; readonly port: number };
type Headers = readonly (readonly [string, string])[];

export type CallOptions = {
  readonly headers?: Headers;
  /** Another From than its own. */
  readonly from?: string;
  /** Without credentials, a challenge is the answer. */
  readonly anonymous?: boolean;
};

/** What a request of its own came to. */
type Exchange = {
  readonly provisionals: Arrivals<Response>;
  readonly finals: Arrivals<Response>;
  readonly final: Promise<Response | 'timeout'>;
  readonly transaction: Outgoing;
};

let phones = 0;

/**
 * A phone for tests: a user agent of its own on real sockets, whose every step is a verb to wait for. It follows its
 * server's Record-Route, sends to the server it is set to, and rings when asked to.
 */
export class SoftPhone implements AsyncDisposable {
  readonly aor: string;
  readonly instance: string;
  readonly incoming = new Arrivals<IncomingCall>();
  /** Requests beside INVITE and those in dialogs; answered 200 already. */
  readonly requests = new Arrivals<Request>();
  readonly dialogs = new Map<string, Dialog>();
  /** Where it sends everything. */
  server: Server = { host: '127.0.0.1', port: 0 };
  readonly #options: Required<Omit<PhoneOptions, 'instance'>>;
  readonly #engine: Engine;
  readonly #calls = new Map<Incoming, IncomingCall>();
  #transports: Transports | undefined;
  #cseq = 0;

  private constructor(options: PhoneOptions) {
    phones += 1;
    this.#options = { domain: 'example.com', password: 'secret', transport: 'udp', ...options };
    this.aor = `${options.user}@${this.#options.domain}`;
    this.instance =
      options.instance ?? `urn:uuid:00000000-0000-4000-8000-${String(phones).padStart(12, '0')}`;
    this.#engine = new Engine(systemClock, {
      onRequest: (request, transaction, _flow, cancels) => this.#take(request, transaction, cancels),
      onAck: (request) => this.#dialogOf(request)?.acks.push(request),
      onClosed: () => undefined,
    });
  }

  static async open(options: PhoneOptions, server?: Server): Promise<SoftPhone> {
    const phone = new SoftPhone(options);
    const listen = { host: '127.0.0.1', port: 0 };
    phone.#transports = await Transports.open({
      listeners: [{ transport: phone.#options.transport, listen, advertised: listen }],
      // No TLS listener, so none is read.
      certificates: undefined as unknown as CertificateStore,
      peers: () => [],
      events: phone.#engine.events,
      clock: systemClock,
    });
    phone.#engine.attach(phone.#transports);
    if (server) phone.server = server;
    return phone;
  }

  get port(): number {
    return this.#transports?.port(0) ?? 0;
  }

  get contact(): string {
    const suffix = this.#options.transport === 'tcp' ? ';transport=tcp' : '';
    return `sip:${this.#options.user}@127.0.0.1:${this.port}${suffix}`;
  }

  /** The flow by which its server sees a datagram of it. */
  get datagramFlow(): Flow {
    return { transport: 'UDP', listener: 0, connection: 0, address: '127.0.0.1', port: this.port };
  }

  /** Registers, answering a challenge; the final status. `expiresSeconds` 0 takes the registration back. */
  async register(expiresSeconds = 600): Promise<number> {
    const { domain } = this.#options;
    const contact = `<${this.contact}>;+sip.instance="<${this.instance}>";expires=${expiresSeconds}`;
    const response = await this.request('REGISTER', `sip:${domain}`, {
      to: `<sip:${this.aor}>`,
      headers: [['Contact', contact]],
    });
    return response === 'timeout' ? 408 : response.status;
  }

  /** Calls a number, name or URI. What comes back is told by the call. */
  call(called: string, { headers = [], from, anonymous = false }: CallOptions = {}): OutgoingCall {
    const uri = called.includes(':') ? called : `sip:${called}@${this.#options.domain}`;
    return new OutgoingCall(this, {
      uri,
      from: from ?? `<sip:${this.aor}>`,
      headers: [['Contact', `<${this.contact}>`], ...headers],
      anonymous,
    });
  }

  /** The next call that comes in. */
  ringing(): Promise<IncomingCall> {
    return this.incoming.next();
  }

  /** A request outside of dialogs; its final response, a challenge answered. */
  async request(
    method: string,
    uri: string,
    { to, headers = [], anonymous = false }: { to?: string; headers?: Headers; anonymous?: boolean } = {},
  ): Promise<Response | 'timeout'> {
    const parts = {
      method,
      uri,
      from: `<sip:${this.aor}>;tag=${this.#engine.newTag()}`,
      to: to ?? `<${uri}>`,
      callId: this.newId(),
    };
    const first = await this.exchange({ ...parts, cseq: this.nextCseq(), headers }).final;
    const answer = first === 'timeout' || anonymous ? undefined : this.credentialsFor(first, method, uri);
    if (!answer) return first;
    return this.exchange({ ...parts, cseq: this.nextCseq(), headers: [...headers, answer] }).final;
  }

  /** Sends one request and gives what comes. */
  exchange(parts: {
    readonly method: string;
    readonly uri: string;
    readonly from: string;
    readonly to: string;
    readonly callId: string;
    readonly cseq: number;
    readonly headers: Headers;
  }): Exchange {
    const request = this.#build(parts);
    const provisionals = new Arrivals<Response>();
    const finals = new Arrivals<Response>();
    const { promise, resolve } = Promise.withResolvers<Response | 'timeout'>();
    const transaction = this.#engine.send(request, this.#flow(), {
      onResponse: (response) => {
        if (response.status < 200) return provisionals.push(response);
        finals.push(response);
        resolve(response);
      },
      onTimeout: () => resolve('timeout'),
      onUnsendable: () => resolve('timeout'),
    });
    return { provisionals, finals, final: promise, transaction };
  }

  /** Sends an ACK for a 2xx. */
  ack(parts: Parameters<SoftPhone['exchange']>[0]): void {
    this.#engine.sendAck(this.#build(parts).toBuffer(), this.#flow());
  }

  cancel({ transaction }: Exchange): void {
    if (!transaction.request) throw new Error('a request that was answered cannot be cancelled');
    const cancel = parseDatagram(buildCancel(transaction.request)) as Request;
    this.#engine.send(cancel, this.#flow(), {
      onResponse: () => undefined,
      onTimeout: () => undefined,
      onUnsendable: () => undefined,
    });
  }

  /** Answers a request that came; its To tag is the dialog's. */
  respond(call: { request: Request; transaction: Incoming; tag: string }, status: number): void {
    const contact = [['Contact', `<${this.contact}>`] as const];
    const routes = call.request.lines('record-route').map((line) => ['Record-Route', line] as const);
    const headers = status > 100 && status < 300 ? [...contact, ...routes] : [];
    this.#engine.answer(call.request, call.transaction, status, { toTag: call.tag, headers });
  }

  /** The header field that answers a challenge; undefined where there is none to answer. */
  credentialsFor(response: Response, method: string, uri: string): readonly [string, string] | undefined {
    const isProxy = response.status === 407;
    if (response.status !== 401 && !isProxy) return undefined;
    const challenge = parseChallenge(
      response.value(isProxy ? 'proxy-authenticate' : 'www-authenticate') ?? '',
    );
    if (!challenge) return undefined;
    const { user, password } = this.#options;
    const ha1 = digestHa1(challenge.algorithm, user, challenge.realm, password);
    const value = answerChallenge(challenge, { username: user, ha1, method, uri, cnonce: 'c', count: 1 });
    return [isProxy ? 'Proxy-Authorization' : 'Authorization', value];
  }

  newTag(): string {
    return this.#engine.newTag();
  }

  newId(): string {
    return `${this.#engine.newTag()}@phone`;
  }

  nextCseq(): number {
    this.#cseq += 1;
    return this.#cseq;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#engine[Symbol.dispose]();
    await this.#transports?.[Symbol.asyncDispose]();
  }

  #build(parts: Parameters<SoftPhone['exchange']>[0]): Request {
    const transport = this.#options.transport.toUpperCase();
    const via = `SIP/2.0/${transport} 127.0.0.1:${this.port};branch=${magicCookie}${this.#engine.newTag()};rport`;
    return parseDatagram(buildRequest({ ...parts, via })) as Request;
  }

  #flow(): Flow {
    const { host: address, port } = this.server;
    const transport = this.#options.transport.toUpperCase() as Transport;
    const flow = this.#transports?.flowTo({ transport, address, port });
    if (!flow) throw new Error('not open');
    return flow;
  }

  #take(request: Request, transaction: Incoming, cancels: Incoming | undefined): void {
    const known = this.#dialogOf(request);
    if (request.method === 'CANCEL') {
      this.#engine.answer(request, transaction, 200);
      const call = cancels && this.#calls.get(cancels);
      return call?.cancelled();
    }
    if (known) {
      this.respond({ request, transaction, tag: '' }, 200);
      return known.requests.push(request);
    }
    if (request.to?.params.has('tag')) return this.#engine.answer(request, transaction, 481);
    if (request.method !== 'INVITE') {
      this.#engine.answer(request, transaction, 200);
      return this.requests.push(request);
    }
    const call = new IncomingCall(this, request, transaction);
    this.#calls.set(transaction, call);
    this.incoming.push(call);
  }

  #dialogOf(request: Request): Dialog | undefined {
    return this.dialogs.get(`${request.callId} ${request.to?.params.get('tag')}`);
  }
}

/** A call the phone makes. */
export class OutgoingCall {
  readonly callId: string;
  readonly #phone: SoftPhone;
  readonly #parts: { uri: string; from: string; headers: Headers; anonymous: boolean };
  readonly #first: Exchange;
  #current: Exchange;
  readonly #outcome: Promise<Response | 'timeout'>;

  constructor(phone: SoftPhone, parts: { uri: string; from: string; headers: Headers; anonymous: boolean }) {
    this.#phone = phone;
    this.callId = phone.newId();
    this.#parts = { ...parts, from: `${parts.from};tag=${phone.newTag()}` };
    this.#first = this.#send(parts.headers);
    this.#current = this.#first;
    this.#outcome = this.#settle();
  }

  /** The final status. */
  async status(): Promise<number> {
    const response = await this.#outcome;
    return response === 'timeout' ? 0 : response.status;
  }

  async response(): Promise<Response> {
    const response = await this.#outcome;
    if (response === 'timeout') throw new Error('no final response');
    return response;
  }

  /** The first provisional response of this status. */
  async provisional(status: number): Promise<Response> {
    for (;;) {
      const { provisionals } = this.#current;
      const current = this.#current;
      const response = await Promise.race([
        provisionals.next(),
        current.final.then((final) => (final === 'timeout' ? undefined : final)),
      ]);
      if (response?.status === status) return response;
      if (
        !response ||
        (response.status >= 200 && current === this.#current && ![401, 407].includes(response.status))
      ) {
        throw new Error(`${response?.status ?? 'timeout'} instead of ${status}`);
      }
      if (response.status >= 200) await this.#retried;
    }
  }

  cancel(): void {
    this.#phone.cancel(this.#current);
  }

  /** Final responses as they come: each 2xx, and each time it is sent again. */
  get finals(): Arrivals<Response> {
    return this.#current.finals;
  }

  /** The dialog after a 2xx, acknowledged. */
  async answered(): Promise<Dialog> {
    const response = await this.response();
    if (response.status >= 300) throw new Error(`${response.status} ${response.reason}`);
    return Dialog.ofCaller(this.#phone, this.#parts.from, response);
  }

  readonly #retriedGate = Promise.withResolvers<void>();
  get #retried(): Promise<void> {
    return this.#retriedGate.promise;
  }

  async #settle(): Promise<Response | 'timeout'> {
    const first = await this.#first.final;
    if (first === 'timeout' || this.#parts.anonymous) return first;
    const credentials = this.#phone.credentialsFor(first, 'INVITE', this.#parts.uri);
    if (!credentials) return first;
    this.#current = this.#send([...this.#parts.headers, credentials]);
    this.#retriedGate.resolve();
    return this.#current.final;
  }

  #send(headers: Headers): Exchange {
    const { uri, from } = this.#parts;
    return this.#phone.exchange({
      method: 'INVITE',
      uri,
      from,
      to: `<${uri}>`,
      callId: this.callId,
      cseq: this.#phone.nextCseq(),
      headers,
    });
  }
}

/** A call that came in. */
export class IncomingCall {
  readonly request: Request;
  readonly transaction: Incoming;
  readonly tag: string;
  readonly wasCancelled: Promise<void>;
  readonly #phone: SoftPhone;
  readonly #cancelled = Promise.withResolvers<void>();

  constructor(phone: SoftPhone, request: Request, transaction: Incoming) {
    this.#phone = phone;
    this.request = request;
    this.transaction = transaction;
    this.tag = phone.newTag();
    this.wasCancelled = this.#cancelled.promise;
  }

  ring(): this {
    this.#phone.respond(this, 180);
    return this;
  }

  reject(status: number): void {
    this.#phone.respond(this, status);
  }

  /** Answers; the dialog, acknowledged. */
  async accept(): Promise<Dialog> {
    const dialog = Dialog.ofCallee(this.#phone, this.request, this.tag);
    this.#phone.respond(this, 200);
    await dialog.acks.next();
    return dialog;
  }

  cancelled(): void {
    this.#phone.respond(this, 487);
    this.#cancelled.resolve();
  }
}

/** One end of a call that was answered (RFC 3261 section 12). */
export class Dialog {
  readonly acks = new Arrivals<Request>();
  /** What the other end sent in it; answered 200. */
  readonly requests = new Arrivals<Request>();
  readonly routes: readonly string[];
  readonly callId: string;
  readonly #phone: SoftPhone;
  readonly #local: string;
  readonly #remote: string;
  readonly #target: string;

  private constructor(
    phone: SoftPhone,
    parts: { callId: string; local: string; remote: string; target: string; routes: readonly string[] },
  ) {
    this.#phone = phone;
    this.callId = parts.callId;
    this.#local = parts.local;
    this.#remote = parts.remote;
    this.#target = parts.target;
    this.routes = parts.routes;
  }

  static ofCaller(phone: SoftPhone, from: string, response: Response): Dialog {
    const dialog = new Dialog(phone, {
      callId: response.callId ?? '',
      local: from,
      remote: response.value('to') ?? '',
      target: response.addresses('contact')?.[0]?.uriText ?? '',
      routes: response.values('record-route').toReversed(),
    });
    phone.dialogs.set(`${dialog.callId} ${response.from?.params.get('tag')}`, dialog);
    dialog.send('ACK', response.cseq?.number ?? 0);
    return dialog;
  }

  static ofCallee(phone: SoftPhone, request: Request, tag: string): Dialog {
    const { to } = request;
    const dialog = new Dialog(phone, {
      callId: request.callId ?? '',
      local: to ? formatAddress({ ...to, params: Params.none.with('tag', tag) }) : '',
      remote: request.value('from') ?? '',
      target: request.addresses('contact')?.[0]?.uriText ?? '',
      routes: request.values('record-route'),
    });
    phone.dialogs.set(`${dialog.callId} ${tag}`, dialog);
    return dialog;
  }

  /** Sends a request in the dialog; its final status. */
  async request(method: string, headers: Headers = []): Promise<number> {
    const response = await this.#phone.exchange(this.parts(method, this.#phone.nextCseq(), headers)).final;
    if (response === 'timeout') return 0;
    if (method === 'INVITE' && response.status < 300) this.send('ACK', response.cseq?.number ?? 0);
    return response.status;
  }

  bye(): Promise<number> {
    return this.request('BYE');
  }

  send(method: 'ACK', cseq: number): void {
    this.#phone.ack(this.parts(method, cseq));
  }

  parts(method: string, cseq: number, headers: Headers = []): Parameters<SoftPhone['exchange']>[0] {
    const contact = method === 'INVITE' ? [['Contact', `<${this.#phone.contact}>`] as const] : [];
    return {
      method,
      uri: this.#target,
      from: this.#local,
      to: this.#remote,
      callId: this.callId,
      cseq,
      headers: [...this.routes.map((route) => ['Route', route] as const), ...contact, ...headers],
    };
  }
}
