import { randomBytes } from 'node:crypto';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Refusal } from '../../sip/message/limits.ts';
import type { Request, Response } from '../../sip/message/message.ts';
import { buildRefusal, buildResponse, isAnswerable } from '../../sip/message/response.ts';
import type { ResponseOptions } from '../../sip/message/response.ts';
import { discardReasonOf, refusalOf } from '../../sip/message/validate.ts';
import { TransactionLayer, isWaiting } from '../../sip/transaction/layer.ts';
import type { Output } from '../../sip/transaction/output.ts';
import type {
  ClientTransaction,
  ServerTransaction,
  TransactionTimer,
} from '../../sip/transaction/transaction.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { responseEndpoint, stampRequest } from '../../sip/transport/received.ts';
import type { TransportEvents } from '../transport/events.ts';
import type { Transports } from '../transport/transports.ts';
import { Timers } from './timers.ts';

/** A request's transaction; `respond` with it answers. */
export type Incoming = ServerTransaction<Flow>;
export type Outgoing = ClientTransaction<Flow>;

/** Whoever serves requests. */
export type RequestUser = {
  /** Whether a message from the address is read at all. */
  readonly admit?: ((address: string) => boolean) | undefined;
  /** A new, well-formed request, its top Via stamped; `cancels` is what a CANCEL is about, where that is known. */
  readonly onRequest: (request: Request, transaction: Incoming, flow: Flow, cancels?: Incoming) => void;
  /** An ACK for a 2xx, which is routed like a request and never answered. */
  readonly onAck: (request: Request, flow: Flow) => void;
  /** The transaction of a request is over, answered or not. */
  readonly onEnd?: ((transaction: Incoming) => void) | undefined;
  /** Nothing can be sent over a connection again. */
  readonly onClosed: (flow: Flow) => void;
};

/** Whoever sent a request. One of the last two comes where no final response does; nothing comes after them. */
export type ResponseUser = {
  readonly onResponse: (response: Response, transaction: Outgoing) => void;
  readonly onTimeout: (transaction: Outgoing) => void;
  readonly onUnsendable: (transaction: Outgoing) => void;
};

/**
 * Server transactions that are remembered. At 10,000 requests a second they span three seconds of retransmissions, and
 * cost some 30 MB.
 */
const transactionsMax = 30_000;

const overloaded: Refusal = { status: 503, reason: 'Overloaded' };

/**
 * Runs the transaction layer with real sockets and time: messages that came go in, and what it wants is done.
 *
 * Invariants: a well-formed request reaches its user once, however often it comes. Every request sent comes to exactly
 * one end: a final response, a timeout, or "unsendable".
 */
export class Engine implements Disposable {
  readonly #layer = new TransactionLayer<Flow>({ transactionsMax });
  readonly #timers: Timers<TransactionTimer<Flow>>;
  readonly #user: RequestUser;
  readonly #users = new Map<Outgoing, ResponseUser>();
  /** Requests under way over each connection: they fail with it. */
  readonly #onConnection = new Map<number, Set<Outgoing>>();
  /** Addresses with requests under way, and how many. */
  readonly #awaited = new Map<string, number>();
  readonly #tagSeed = randomBytes(6).toString('base64url');
  #transports: Transports | undefined;
  #lastTag = 0;
  #overloads = 0;

  constructor(clock: Clock, user: RequestUser) {
    this.#user = user;
    this.#timers = new Timers(clock, (timer) => this.#run(this.#layer.fire(timer)));
  }

  /** What the transports are to tell this engine. Responses are read from whom one is awaited. */
  readonly events: TransportEvents = {
    admit: (address, isResponse) =>
      (isResponse && this.#awaited.has(address)) || (this.#user.admit?.(address) ?? true),
    onMessage: (message, flow) => {
      if (message.kind === 'request') this.#takeRequest(message, flow);
      else if (!discardReasonOf(message)) this.#run(this.#layer.receiveResponse(message));
    },
    onBroken: (request, refusal, flow) => this.#refuse(stampRequest(request, flow), refusal, flow),
    onClosed: (flow) => {
      for (const transaction of this.#onConnection.get(flow.connection) ?? []) {
        this.#lose(transaction);
      }
      this.#user.onClosed(flow);
    },
  };

  /** The transports to send by; nothing is received before there are any. */
  attach(transports: Transports): void {
    this.#transports = transports;
  }

  get transactions(): number {
    return this.#layer.size;
  }

  /** Requests turned away because too many transactions were open. */
  get overloads(): number {
    return this.#overloads;
  }

  /** A tag nobody else makes (RFC 3261 section 19.3). */
  newTag(): string {
    this.#lastTag += 1;
    return `${this.#tagSeed}${this.#lastTag.toString(36)}`;
  }

  /** Answers a request itself, with a To tag of its own where the response needs one. */
  answer(request: Request, transaction: Incoming, status: number, options: ResponseOptions = {}): void {
    const toTag = status > 100 ? this.newTag() : undefined;
    this.respond(transaction, status, buildResponse(request, status, { toTag, ...options }));
  }

  /** Sends a response as it is: another element's, its top Via of ours taken off, or one that was built. */
  respond(transaction: Incoming, status: number, bytes: Buffer): void {
    this.#run(this.#layer.respond(transaction, status, bytes));
  }

  /** Sends a request that has our Via with a new branch on top, over `flow`. */
  send(request: Request, flow: Flow, user: ResponseUser): Outgoing {
    const { transaction, outputs } = this.#layer.send(request, flow, flow.transport !== 'UDP');
    this.#users.set(transaction, user);
    this.#awaited.set(flow.address, (this.#awaited.get(flow.address) ?? 0) + 1);
    if (flow.connection !== 0) this.#track(transaction);
    this.#run(outputs);
    return transaction;
  }

  /** What comes of it from now on is told to `user`: whoever sent it is free of it. */
  hand(transaction: Outgoing, user: ResponseUser): void {
    if (this.#users.has(transaction)) this.#users.set(transaction, user);
  }

  /** It is not sent again where nothing came back yet; what comes back is told as ever. */
  quieten(transaction: Outgoing): void {
    this.#run(this.#layer.quieten(transaction));
  }

  /** Its final response is not waited for any longer; nothing is told. */
  abandon(transaction: Outgoing): void {
    this.#run(this.#layer.abandon(transaction));
  }

  /** Sends an ACK for a 2xx, which has no transaction. */
  sendAck(bytes: Buffer, flow: Flow): void {
    this.#transports?.send(bytes, flow);
  }

  [Symbol.dispose](): void {
    this.#timers[Symbol.dispose]();
  }

  #takeRequest(received: Request, flow: Flow): void {
    const request = stampRequest(received, flow);
    const refusal = refusalOf(request);
    if (refusal) return this.#refuse(request, refusal, flow);
    this.#run(this.#layer.receiveRequest(request, answerFlow(request, flow), flow.transport !== 'UDP'), flow);
  }

  /** Without a transaction: a malformed request has nothing to find one by. */
  #refuse(request: Request, refusal: Refusal, flow: Flow): void {
    if (!isAnswerable(request)) return;
    const bytes = buildRefusal(request, refusal, { toTag: this.newTag() });
    this.#transports?.send(bytes, answerFlow(request, flow));
  }

  /** `from` is where the message came from that the outputs are about. */
  #run(outputs: readonly Output<Flow>[], from?: Flow): void {
    for (const output of outputs) this.#do(output, from);
  }

  #do(output: Output<Flow>, from: Flow | undefined): void {
    switch (output.kind) {
      case 'send':
        return this.#send(output.bytes, output.transaction);
      case 'set-timer':
        return this.#timers.set(output.timer, output.ms);
      case 'clear-timer':
        return this.#timers.clear(output.timer);
      case 'request':
        return this.#user.onRequest(
          output.request,
          output.transaction,
          from ?? output.transaction.peer,
          output.cancels,
        );
      case 'ack':
        return this.#user.onAck(output.request, from ?? output.from);
      case 'response':
        return this.#users.get(output.transaction)?.onResponse(output.response, output.transaction);
      case 'timeout':
        return this.#fail(output.transaction, 'onTimeout');
      case 'transport-error':
        return this.#fail(output.transaction, 'onUnsendable');
      case 'terminated':
        return this.#forget(output.transaction);
      case 'overload':
        this.#overloads += 1;
        return this.#refuse(output.request, overloaded, from ?? output.from);
    }
  }

  /** The connection of a request has closed. Ringing fails with it too: the response would come by it or not at all. */
  #lose(transaction: Outgoing): void {
    this.#run(this.#layer.transportError(transaction));
    if (!isWaiting(transaction)) return;
    this.#fail(transaction, 'onUnsendable');
    this.abandon(transaction);
  }

  #send(bytes: Buffer, transaction: Incoming | Outgoing): void {
    const fail = (): void => this.#run(this.#layer.transportError(transaction));
    const onFailed = transaction.kind === 'client' ? fail : undefined;
    if (!this.#transports?.send(bytes, transaction.peer, onFailed)) fail();
  }

  #fail(transaction: Incoming | Outgoing, how: 'onTimeout' | 'onUnsendable'): void {
    if (transaction.kind === 'client') this.#users.get(transaction)?.[how](transaction);
  }

  #forget(transaction: Incoming | Outgoing): void {
    if (transaction.kind === 'server') return this.#user.onEnd?.(transaction);
    this.#users.delete(transaction);
    const { connection, address } = transaction.peer;
    const awaited = (this.#awaited.get(address) ?? 1) - 1;
    if (awaited > 0) this.#awaited.set(address, awaited);
    else this.#awaited.delete(address);
    const others = this.#onConnection.get(connection);
    others?.delete(transaction);
    if (others?.size === 0) this.#onConnection.delete(connection);
  }

  #track(transaction: Outgoing): void {
    const { connection } = transaction.peer;
    const others = this.#onConnection.get(connection);
    if (others) others.add(transaction);
    else this.#onConnection.set(connection, new Set([transaction]));
  }
}

/** Where responses go: back over the connection, or by the Via of a datagram (RFC 3261 section 18.2.2, RFC 3581). */
function answerFlow(request: Request, flow: Flow): Flow {
  if (flow.transport !== 'UDP' || !request.via) return flow;
  const { address, port } = responseEndpoint(request.via);
  return port === flow.port && address === flow.address ? flow : { ...flow, address, port };
}
