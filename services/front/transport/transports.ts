import type { Socket } from 'node:net';
import { isIPv6 } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Address, FrontConfig } from '../../protocol/program-config.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import type { Target, Transport } from '../../sip/transport/locate.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { CertificateStore } from '../../platform/tls/certificate-store.ts';
import { plainAddress } from './address.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { dial } from './dial.ts';
import type { TransportEvents } from './events.ts';
import { identityOf } from './identity.ts';
import type { Expected, Identity, TrustedPeer } from './identity.ts';
import { StreamConnection } from './stream-connection.ts';
import { StreamListener } from './stream-listener.ts';
import { UdpListener } from './udp-listener.ts';

export type TransportsOptions = {
  readonly listeners: FrontConfig['listeners'];
  readonly certificates: CertificateStore;
  /** With the authorities that are valid now. */
  readonly peers: () => readonly TrustedPeer[];
  readonly events: TransportEvents;
  readonly clock: Clock;
};

type Listener = UdpListener | StreamListener;

const sweepMs = 1_000;

/** Numbers of connections go on from the time of the start, so that a restart uses none again. */
const connectionsPerMs = 64;

/**
 * Every socket SIP is spoken over. A flow (RFC 5626) names a listener and, for streams, a connection.
 *
 * Invariant: a connection is in `#connections` exactly while something can be sent over it, and `onClosed` is told of
 * each that leaves. Numbers of connections are never used again.
 */
export class Transports implements AsyncDisposable {
  readonly #options: TransportsOptions;
  readonly #listeners: Listener[] = [];
  readonly #connections = new Map<number, StreamConnection>();
  readonly #dialled = new Map<string, StreamConnection>();
  readonly #limits = new ConnectionLimits();
  readonly #sweep: NodeJS.Timeout;
  #lastConnection: number;

  private constructor(options: TransportsOptions) {
    this.#options = options;
    this.#lastConnection = options.clock.nowMs() * connectionsPerMs;
    this.#sweep = setInterval(() => this.#closeOverdue(), sweepMs);
  }

  /** Listens everywhere, or nowhere. */
  static async open(options: TransportsOptions): Promise<Transports> {
    const transports = new Transports(options);
    try {
      for (const [number] of options.listeners.entries()) await transports.#listen(number);
      return transports;
    } catch (error) {
      await transports[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What is told to others of a listener. */
  advertised(listener: number): Address {
    const config = this.#options.listeners[listener];
    if (!config) throw new Error(`no listener ${listener}`);
    return config.advertised;
  }

  /** The port a listener is bound to. */
  port(listener: number): number {
    return this.#listeners[listener]?.port ?? 0;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /**
   * A way to `target`: from a UDP listener, or over the connection that was opened to it before, or over a new one.
   * Undefined where no listener has this transport and address family.
   */
  flowTo(target: Target, expected: Expected = {}): Flow | undefined {
    const listener = this.#listenerFor(target.transport, target.address);
    if (listener < 0) return undefined;
    if (target.transport === 'UDP') return { ...target, listener, connection: 0 };
    const { transport, address, port } = target;
    const key = [transport, address, port, expected.peer ?? '', expected.fingerprint ?? ''].join(' ');
    return (this.#dialled.get(key) ?? this.#dial(key, target, listener, expected)).flow;
  }

  /** Whether the bytes were taken. `onFailed` may still come later, from the operating system. */
  send(bytes: Buffer, flow: Flow, onFailed?: () => void): boolean {
    if (flow.transport !== 'UDP') return this.#connections.get(flow.connection)?.send(bytes) ?? false;
    const listener = this.#listeners[flow.listener];
    if (!(listener instanceof UdpListener)) return false;
    listener.send(bytes, flow, onFailed);
    return true;
  }

  /** Whether something can be sent over the flow; UDP cannot know and says yes. */
  isOpen(flow: Flow): boolean {
    return flow.transport === 'UDP'
      ? this.#listeners[flow.listener] instanceof UdpListener
      : this.#connections.has(flow.connection);
  }

  /** What the other end of the flow's connection has proven by TLS. */
  identity(flow: Flow): Identity | undefined {
    return this.#connections.get(flow.connection)?.identity;
  }

  /** A message over this flow was shown to be genuine: its connection no longer counts against its source. */
  prove(flow: Flow): void {
    const connection = this.#connections.get(flow.connection);
    if (!connection) return;
    connection.prove();
    this.#limits.leave(flow.address, flow.connection);
  }

  /** Sends what waits on the flow's connection and closes it. */
  close(flow: Flow): void {
    this.#connections.get(flow.connection)?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweep);
    const closing = this.#listeners.splice(0).map((listener) => listener[Symbol.asyncDispose]());
    for (const connection of this.#connections.values()) connection.close();
    const late = setTimeout(() => {
      for (const connection of this.#connections.values()) connection.destroy();
    }, sweepMs);
    await Promise.all(closing);
    clearTimeout(late);
    for (const connection of this.#connections.values()) connection.destroy();
  }

  async #listen(number: number): Promise<void> {
    const { listeners, certificates, events, peers, clock } = this.#options;
    const config = listeners[number];
    if (!config) return;
    const { transport, listen } = config;
    const onKnock = (socket: Socket): number | undefined => this.#knock(socket);
    if (transport === 'udp') this.#listeners[number] = await UdpListener.open(number, listen, events);
    else if (transport === 'tcp') {
      const onConnection = (socket: Socket, connection: number): void =>
        this.#serve(socket, this.#inbound(socket, 'TCP', number, connection), false).opened();
      this.#listeners[number] = await StreamListener.openTcp({ listen, onKnock, onConnection });
    } else {
      const onConnection = (socket: TLSSocket, connection: number): void => {
        const identity = identityOf(socket, peers(), clock.nowMs());
        this.#serve(socket, this.#inbound(socket, 'TLS', number, connection), false).opened(identity);
      };
      this.#listeners[number] = await StreamListener.openTls({ listen, certificates, onKnock, onConnection });
    }
  }

  #knock(socket: Socket): number | undefined {
    const address = plainAddress(socket.remoteAddress);
    const connection = this.#nextConnection();
    if (address === '' || !this.#limits.enter(address, connection)) return undefined;
    socket.once('close', () => this.#limits.leave(address, connection));
    return connection;
  }

  #inbound(socket: Socket, transport: Transport, listener: number, connection: number): Flow {
    const address = plainAddress(socket.remoteAddress);
    return { transport, listener, connection, address, port: socket.remotePort ?? 0 };
  }

  #dial(key: string, target: Target, listener: number, expected: Expected): StreamConnection {
    const { certificates, peers } = this.#options;
    const flow = { ...target, listener, connection: this.#nextConnection() };
    const onOpen = (identity: Identity | undefined): void => connection.opened(identity);
    const socket = dial(target, { expected, certificates, peers: peers(), onOpen });
    const connection = this.#serve(socket, flow, true);
    this.#dialled.set(key, connection);
    socket.once('close', () => this.#dialled.delete(key));
    return connection;
  }

  #serve(socket: Socket, flow: Flow, proven: boolean): StreamConnection {
    const { events, clock } = this.#options;
    const onClosed = (closed: Flow): void => {
      this.#connections.delete(closed.connection);
      events.onClosed(closed);
    };
    const monotonicMs = (): number => clock.monotonicMs();
    const connection = new StreamConnection(socket, flow, {
      events: { ...events, onClosed },
      proven,
      monotonicMs,
    });
    this.#connections.set(flow.connection, connection);
    return connection;
  }

  #nextConnection(): number {
    this.#lastConnection += 1;
    return this.#lastConnection;
  }

  /** A listener that can reach the address; for streams the one whose address is advertised. */
  #listenerFor(transport: Transport, address: string): number {
    const isV6 = isIPv6(address);
    return this.#options.listeners.findIndex(({ transport: spoken, listen }) => {
      if (spoken !== transport.toLowerCase()) return false;
      return transport !== 'UDP' || !isV6 || isIPv6(listen.host);
    });
  }

  #closeOverdue(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const connection of this.#connections.values()) connection.closeIfOverdue(nowMs);
  }
}
