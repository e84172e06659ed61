import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket as StreamSocket } from 'node:net';
import type { Request, Response } from '../../services/sip/message/message.ts';
import { parseDatagram } from '../../services/sip/message/parse.ts';
import { StreamFramer } from '../../services/sip/transport/stream-framer.ts';
import type { Frame } from '../../services/sip/transport/stream-framer.ts';
import { Arrivals } from './arrivals.ts';
import { asResponse } from './sip-messages.ts';

/** A UDP socket on loopback that sends to one port and keeps what comes; on a port of its own choice unless given. */
export class UdpClient implements AsyncDisposable {
  readonly datagrams = new Arrivals<Buffer>();
  readonly #socket: Socket;
  readonly #port: number;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (bytes) => this.datagrams.push(bytes));
  }

  static async open(port: number, ownPort = 0): Promise<UdpClient> {
    const socket = createSocket('udp4');
    socket.bind(ownPort, '127.0.0.1');
    await once(socket, 'listening');
    return new UdpClient(socket, port);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(bytes: Buffer | string): void {
    this.#socket.send(bytes, this.#port, '127.0.0.1');
  }

  async response(): Promise<Response> {
    return asResponse(await this.datagrams.next());
  }

  async message(): Promise<Request | Response> {
    const message = parseDatagram(await this.datagrams.next());
    if (message.kind === 'keep-alive' || message.kind === 'rubbish') throw new Error(message.kind);
    return message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
    this.datagrams.end('the socket was closed');
  }
}

/** One end of a TCP or TLS connection that keeps what comes. */
export class StreamClient implements AsyncDisposable {
  readonly frames = new Arrivals<Frame>();
  readonly closed: Promise<unknown>;
  readonly socket: StreamSocket;

  constructor(socket: StreamSocket) {
    const framer = new StreamFramer();
    this.socket = socket;
    this.closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (const frame of framer.push(chunk, 0)) this.frames.push(frame);
    });
  }

  static async openTcp(port: number): Promise<StreamClient> {
    const client = new StreamClient(connect(port, '127.0.0.1'));
    await once(client.socket, 'connect');
    return client;
  }

  send(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  async response(): Promise<Response> {
    const frame = await this.frames.next();
    if (frame.kind !== 'message' || frame.message.kind !== 'response') throw new Error(frame.kind);
    return frame.message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
    this.frames.end('the connection was closed');
  }
}
