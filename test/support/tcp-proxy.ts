import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { LaneShape, ProxyLane } from './tcp-proxy-lane.ts';
import type { CutKind } from './tcp-proxy-lane.ts';

/** `up` is from whoever connects to the target, `down` the way back. */
export type Direction = 'up' | 'down';

export type TcpProxyOptions = {
  readonly target: { readonly host: string; readonly port: number };
  readonly host?: string | undefined;
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** On how many ports in a row it listens; each leads to the target's port as much higher. */
  readonly ports?: number | undefined;
};

const directions: readonly Direction[] = ['up', 'down'];

/**
 * A bad network between two programs on one machine: it forwards bytes, late, slowly, for a while, or not at all.
 * Everything set applies to open and to later connections at once.
 */
export class TcpProxy implements AsyncDisposable {
  /** Where the next connection goes. */
  target: TcpProxyOptions['target'];
  readonly #server: Server;
  /** Those of further ports; what they accept `#server` has accepted. */
  readonly #others: readonly Server[];
  readonly #shapes: Readonly<Record<Direction, LaneShape>> = { up: new LaneShape(), down: new LaneShape() };
  readonly #connections = new Set<Connection>();
  #accepted = 0;
  #refusing = false;

  private constructor({ target }: TcpProxyOptions, server: Server, others: readonly Server[]) {
    this.target = target;
    this.#server = server;
    this.#others = others;
    server.on('connection', (client) => this.#accept(client));
    for (const other of others) other.on('connection', (client) => server.emit('connection', client));
  }

  static async listen({ host = '127.0.0.1', port = 0, ports = 1, ...options }: TcpProxyOptions) {
    const listening = async (at: number) => {
      const server = createServer({ allowHalfOpen: true });
      await once(server.listen(at, host), 'listening');
      return server;
    };
    const server = await listening(port);
    const others = Array.from({ length: ports - 1 }, (_, index) => listening(port + 1 + index));
    return new TcpProxy(options, server, await Promise.all(others));
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Connections open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resolves when that many connections in all have been accepted. */
  async accepted(count: number): Promise<void> {
    while (this.#accepted < count) await once(this.#server, 'connection');
  }

  /** Bytes forwarded so far. */
  forwardedBytes(direction: Direction): number {
    return this.#shapes[direction].forwardedBytes;
  }

  /** Resolves when that many bytes in all have been forwarded. */
  async forwarded(direction: Direction, bytes: number): Promise<void> {
    const shape = this.#shapes[direction];
    while (shape.forwardedBytes < bytes) await once(shape.events, 'forwarded');
  }

  /** Every byte arrives this much later; the rate stays. */
  delay(ms: number, which: readonly Direction[] = directions): void {
    for (const direction of which) this.#shapes[direction].delayMs = ms;
  }

  throttle(bytesPerSecond: number | undefined, which: readonly Direction[] = directions): void {
    for (const direction of which) this.#shapes[direction].bytesPerSecond = bytesPerSecond;
  }

  /** Half-open: sockets stay open, nothing passes, not even an end; new connections are accepted all the same. */
  stall(which: readonly Direction[] = directions): void {
    for (const direction of which) this.#shapes[direction].stalled = true;
  }

  resume(which: readonly Direction[] = directions): void {
    for (const direction of which) {
      this.#shapes[direction].stalled = false;
      this.#shapes[direction].events.emit('resumed');
    }
  }

  /** Cuts every open connection now. */
  cut(kind: CutKind): void {
    for (const connection of this.#connections) connection.cut(kind);
  }

  /** Lets that many bytes more pass one way, over all connections, then cuts the connection of the next one. */
  cutAfter(bytes: number, direction: Direction, kind: CutKind): void {
    this.#shapes[direction].cutPlan = { bytes, kind };
  }

  /** Resets new connections at once, as a port does on which nobody listens. */
  refuse(refusing = true): void {
    this.#refusing = refusing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const servers = [this.#server, ...this.#others];
    const closed = servers.map((server) => once(server, 'close'));
    for (const server of servers) server.close();
    this.cut('rst');
    await Promise.all(closed);
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    if (this.#refusing) return void client.resetAndDestroy();
    const port = this.target.port + ((client.localPort ?? this.address.port) - this.address.port);
    const target = connect({ ...this.target, port, allowHalfOpen: true });
    const connection = new Connection(client, target, this.#shapes);
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }
}

/** Two sockets and the lane each way between them. */
class Connection {
  readonly closed: Promise<unknown>;
  readonly #sockets: readonly Socket[];
  readonly #lanes: readonly ProxyLane[];

  constructor(client: Socket, target: Socket, shapes: Readonly<Record<Direction, LaneShape>>) {
    const cut = (kind: CutKind) => this.cut(kind);
    this.#sockets = [client, target];
    this.#lanes = [
      new ProxyLane(client, target, shapes.up, cut),
      new ProxyLane(target, client, shapes.down, cut),
    ];
    for (const socket of this.#sockets) socket.setNoDelay(true);
    this.closed = Promise.all(this.#sockets.map(closeOf));
  }

  cut(kind: CutKind): void {
    for (const lane of this.#lanes) lane.stop();
    for (const socket of this.#sockets) {
      if (kind === 'rst') socket.resetAndDestroy();
      else socket.end();
    }
  }
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
