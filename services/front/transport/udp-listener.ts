import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Address } from '../../protocol/program-config.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { parseDatagram } from '../../sip/message/parse.ts';
import { answerStun, isStun } from '../../sip/transport/stun.ts';
import { addressFor, plainAddress } from './address.ts';
import type { TransportEvents } from './events.ts';

/**
 * Room for bursts: with the system's default (212,992 bytes) a mass of registrations overflows it, and what is lost looks
 * like a slow server. The system grants no more than `net.core.rmem_max`.
 */
const receiveBufferBytes = 4 * 1_048_576;

/** Addresses are numeric here; the resolver would only put off each datagram by a turn of the loop. */
const numericLookup = (
  address: string,
  family: unknown,
  callback: (error: null, address: string, family: number) => void,
): void => callback(null, address, family === 6 ? 6 : 4);

/** `SIP/2.0`: what no method begins with. */
const isResponse = (bytes: Buffer): boolean => bytes[0] === 0x53 && bytes[3] === 0x2f;

/** One UDP socket: SIP, keep-alives and STUN (RFC 5626 section 5.3) on one port. */
export class UdpListener implements AsyncDisposable {
  readonly family: 'udp4' | 'udp6';
  readonly #socket: Socket;
  readonly #number: number;
  readonly #events: TransportEvents;

  private constructor(number: number, host: string, events: TransportEvents) {
    this.family = isIPv6(host) ? 'udp6' : 'udp4';
    this.#number = number;
    this.#events = events;
    this.#socket = createSocket({
      type: this.family,
      recvBufferSize: receiveBufferBytes,
      lookup: numericLookup,
    });
    this.#socket.on('message', (bytes, remote) => this.#receive(bytes, remote));
  }

  static async open(number: number, listen: Address, events: TransportEvents): Promise<UdpListener> {
    const listener = new UdpListener(number, listen.host, events);
    const listening = once(listener.#socket, 'listening');
    listener.#socket.bind({ port: listen.port, address: listen.host });
    await listening;
    // From here on an error is one of sending, which the sender is told of where it matters to him.
    listener.#socket.on('error', () => undefined);
    return listener;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** A port 0, which a Via may name, is one nothing can be sent to: dgram throws when asked to. */
  send(bytes: Buffer, { address, port }: { address: string; port: number }, onFailed?: () => void): void {
    if (port === 0) return onFailed?.();
    const to = addressFor(this.family, address);
    if (onFailed) this.#socket.send(bytes, port, to, (error) => error && onFailed());
    else this.#socket.send(bytes, port, to);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #receive(bytes: Buffer, remote: RemoteInfo): void {
    const source = { address: plainAddress(remote.address), port: remote.port };
    if (!this.#events.admit(source.address, isResponse(bytes))) return;
    if (isStun(bytes)) {
      const answer = answerStun(bytes, source);
      if (answer) this.send(answer, source);
      return;
    }
    const message = parseDatagram(bytes);
    if (message.kind === 'keep-alive' || message.kind === 'rubbish') return;
    const flow: Flow = { transport: 'UDP', listener: this.#number, connection: 0, ...source };
    this.#events.onMessage(message, flow);
  }
}
