import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { parseDatagram } from '../../sip/message/parse.ts';
import type { Request, Response } from '../../sip/message/message.ts';
import { refusalOf, discardReasonOf } from '../../sip/message/validate.ts';
import { TransactionLayer } from '../../sip/transaction/layer.ts';
import type { Output } from '../../sip/transaction/output.ts';
import { TimerWheel } from '../../sip/transaction/timer-wheel.ts';
import type {
  ClientTransaction,
  ServerTransaction,
  TransactionTimer,
} from '../../sip/transaction/transaction.ts';
import type { Endpoint } from '../../sip/transport/received.ts';

/** What becomes of a request; exactly one of the last three comes, provisional responses before it. */
export type RequestHandler = {
  readonly onProvisional?: ((response: Response) => void) | undefined;
  readonly onFinal: (response: Response) => void;
  /** No response in time, or it could not be sent. */
  readonly onSilence: () => void;
};

export type UserAgentOptions = {
  readonly address: string;
  /** A request came; it is answered by `respond`. */
  readonly onRequest?: ((request: Request, transaction: ServerTransaction<Endpoint>) => void) | undefined;
  /** An ACK for a 2xx came. */
  readonly onAck?: ((request: Request) => void) | undefined;
};

const tickMs = 10;
const receiveBufferBytes = 4 * 1024 * 1024;

/** Requests received and not yet done with, at most. */
const transactionsMax = 10_000;

/**
 * A SIP element at the end of the line, on a UDP socket of its own: the transaction layer with a clock and a socket.
 * Thousands of simulated devices share one.
 */
export class UserAgent implements AsyncDisposable {
  readonly #options: UserAgentOptions;
  readonly #socket: Socket;
  readonly #layer = new TransactionLayer<Endpoint>({ transactionsMax });
  readonly #wheel = new TimerWheel<TransactionTimer<Endpoint>>(tickMs);
  readonly #handlers = new Map<ClientTransaction<Endpoint>, RequestHandler>();
  readonly #ticking: NodeJS.Timeout;

  private constructor(socket: Socket, options: UserAgentOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('message', (bytes, { address, port }) => this.#receive(bytes, { address, port }));
    socket.on('error', () => undefined);
    this.#ticking = setInterval(() => this.#tick(), tickMs);
  }

  static async open(options: UserAgentOptions): Promise<UserAgent> {
    const type = options.address.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, recvBufferSize: receiveBufferBytes });
    socket.bind(0, options.address);
    await once(socket, 'listening');
    return new UserAgent(socket, options);
  }

  /** Where it receives. */
  get endpoint(): Endpoint {
    const { address, port } = this.#socket.address();
    return { address, port };
  }

  /** Sends a request that has this element's Via with a new branch. */
  send(request: Buffer, to: Endpoint, handler: RequestHandler): void {
    const parsed = parseDatagram(request);
    if (parsed.kind !== 'request') throw new TypeError('not a request');
    const { transaction, outputs } = this.#layer.send(parsed, to, false);
    this.#handlers.set(transaction, handler);
    this.#run(outputs);
  }

  /** Sends what belongs to no transaction: the ACK for a 2xx. */
  sendAlone(bytes: Buffer, { address, port }: Endpoint): void {
    this.#socket.send(bytes, port, address);
  }

  respond(transaction: ServerTransaction<Endpoint>, status: number, bytes: Buffer): void {
    this.#run(this.#layer.respond(transaction, status, bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#ticking);
    this.#handlers.clear();
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #receive(bytes: Buffer, from: Endpoint): void {
    const message = parseDatagram(bytes);
    if (message.kind === 'request' && !refusalOf(message)) {
      this.#run(this.#layer.receiveRequest(message, from, false));
    } else if (message.kind === 'response' && discardReasonOf(message) === undefined) {
      this.#run(this.#layer.receiveResponse(message));
    }
  }

  #tick(): void {
    for (const timer of this.#wheel.advance(performance.now())) this.#run(this.#layer.fire(timer));
  }

  #run(outputs: readonly Output<Endpoint>[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'send':
          this.#socket.send(output.bytes, output.to.port, output.to.address);
          break;
        case 'set-timer':
          this.#wheel.set(output.timer, performance.now() + output.ms);
          break;
        case 'clear-timer':
          this.#wheel.clear(output.timer);
          break;
        case 'request':
          this.#options.onRequest?.(output.request, output.transaction);
          break;
        case 'ack':
          this.#options.onAck?.(output.request);
          break;
        case 'response':
          this.#onResponse(output.transaction, output.response);
          break;
        case 'timeout':
        case 'transport-error':
          if (output.transaction.kind === 'client') this.#onSilence(output.transaction);
          break;
        case 'terminated':
          if (output.transaction.kind === 'client') this.#handlers.delete(output.transaction);
          break;
        case 'overload':
          break;
      }
    }
  }

  #onResponse(transaction: ClientTransaction<Endpoint>, response: Response): void {
    const handler = this.#handlers.get(transaction);
    if (response.status < 200) handler?.onProvisional?.(response);
    else handler?.onFinal(response);
  }

  #onSilence(transaction: ClientTransaction<Endpoint>): void {
    const handler = this.#handlers.get(transaction);
    this.#handlers.delete(transaction);
    handler?.onSilence();
  }
}
