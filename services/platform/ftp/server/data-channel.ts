import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { TLSSocket, createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import type { FtpServerLimits } from './limits.ts';
import { ReplyError } from './reply-error.ts';

export type DataChannelOptions = {
  readonly host: string;
  /** Tried in turn. */
  readonly ports: Iterable<number>;
  /** Who may connect: the address at the other end of the control connection. */
  readonly remoteAddress: string | undefined;
  /** TLS as on the control connection, and the client certificate seen there; absent in plain mode. */
  readonly tls: { readonly options: TlsOptions; readonly fingerprint: string | undefined } | undefined;
  readonly limits: Pick<FtpServerLimits, 'dataConnectTimeoutMs' | 'handshakeTimeoutMs'>;
};

/** Connections in the middle of a handshake; strangers may be among them. */
const candidatesMax = 8;

/** How long a finished connection may take to close, so that its last bytes are not thrown away. */
const lingerMs = 5_000;

/**
 * One passive data connection: a listener that takes the first connection of the right client.
 *
 * Invariant: what is taken never comes from another address, nor, with TLS, with another certificate than the
 * control connection; strangers are dropped and cannot use the channel up. A channel is finished or broken: no
 * socket outlives its disposal by more than the time finishing takes.
 */
export class DataChannel implements Disposable {
  readonly #server: Server;
  readonly #limits: DataChannelOptions['limits'];
  readonly #connected = Promise.withResolvers<void>();
  readonly #secured = Promise.withResolvers<Socket>();
  readonly #candidates = new Set<Socket>();
  #deadline: NodeJS.Timeout;
  #taken: Socket | undefined;

  private constructor(server: Server, { remoteAddress, tls, limits }: DataChannelOptions) {
    this.#server = server;
    this.#limits = limits;
    this.#connected.promise.catch(() => undefined);
    this.#secured.promise.catch(() => undefined);
    this.#deadline = this.#failAfter(limits.dataConnectTimeoutMs);
    const secure = tls ? this.#handshake(tls) : (socket: Socket) => this.#take(socket);
    server.maxConnections = candidatesMax;
    server.on('connection', (socket) => {
      socket.on('error', () => socket.destroy());
      if (socket.remoteAddress !== remoteAddress) return socket.destroy();
      this.#admit(socket);
      return secure(socket);
    });
  }

  /** @throws ReplyError 425 when no port is free */
  static async listen(options: DataChannelOptions): Promise<DataChannel> {
    for (const port of options.ports) {
      const server = await tryListen(options.host, port);
      if (server) return new DataChannel(server, options);
    }
    throw new ReplyError(425, 'No passive port is free');
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** When the client has connected, its handshake perhaps not done: many wait with that for the 150. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** The client's connection, ready for use. */
  get secured(): Promise<Socket> {
    return this.#secured.promise;
  }

  /** Ends a connection whose transfer is complete, letting what was sent arrive. */
  finish(): void {
    const socket = this.#taken;
    if (!socket) return;
    this.#taken = undefined;
    socket.setTimeout(lingerMs, () => socket.destroy());
    socket.resume().end();
  }

  /** Stops listening and breaks whatever is not finished. */
  [Symbol.dispose](): void {
    this.#fail();
    this.#taken?.destroy();
  }

  #admit(socket: Socket): void {
    if (this.#candidates.size === 0) {
      clearTimeout(this.#deadline);
      this.#deadline = this.#failAfter(this.#limits.handshakeTimeoutMs);
      this.#connected.resolve();
    }
    this.#candidates.add(socket);
  }

  /** A TLS server of its own that never listens: it gets the sockets that were admitted. */
  #handshake({ options, fingerprint }: NonNullable<DataChannelOptions['tls']>): (socket: Socket) => void {
    const tlsServer = createTlsServer(options);
    tlsServer.on('tlsClientError', (_error, socket) => socket.destroy());
    tlsServer.on('secureConnection', (socket) => {
      socket.on('error', () => socket.destroy());
      if (fingerprint !== undefined && fingerprintOf(socket) === fingerprint) this.#take(socket);
      else socket.destroy();
    });
    return (socket) => tlsServer.emit('connection', socket);
  }

  #take(socket: Socket): void {
    if (this.#taken) return void socket.destroy();
    this.#taken = socket;
    this.#secured.resolve(socket);
    this.#close((candidate) => candidate.remotePort !== socket.remotePort);
  }

  #failAfter(timeoutMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#fail(), timeoutMs);
  }

  #fail(): void {
    const error = new ReplyError(425, 'No data connection');
    this.#connected.reject(error);
    this.#secured.reject(error);
    if (!this.#taken) this.#close(() => true);
  }

  #close(isStranger: (candidate: Socket) => boolean): void {
    clearTimeout(this.#deadline);
    this.#server.close();
    for (const candidate of this.#candidates) if (isStranger(candidate)) candidate.destroy();
  }
}

/** SHA-256 fingerprint of the certificate that the other end proved to own. */
export function fingerprintOf(socket: Socket): string | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.fingerprint256 : undefined;
}

async function tryListen(host: string, port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    await once(server.listen({ host, port }), 'listening');
    return server;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
