import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TLSSocket, SecureContextOptions } from 'node:tls';
import type { Address } from '../../protocol/program-config.ts';
import type { CertificateStore } from '../../platform/tls/certificate-store.ts';

/** Phones are older than TLS 1.3. */
export const deviceTls = { minVersion: 'TLSv1.2' } as const satisfies SecureContextOptions;

const handshakeMs = 5_000;

export type StreamListenerOptions<S extends Socket = Socket> = {
  readonly listen: Address;
  /** A connection, before any handshake: the number it gets, or undefined where it is not let in. */
  readonly onKnock: (socket: Socket) => number | undefined;
  /** A connection to be served. */
  readonly onConnection: (socket: S, connection: number) => void;
};

export type TlsListenerOptions = StreamListenerOptions<TLSSocket> & {
  readonly certificates: CertificateStore;
};

/** Where devices and neighbours connect to: TCP, or TLS with the certificate that is newest. */
export class StreamListener implements AsyncDisposable {
  readonly #server: Server;
  readonly #renewal: Disposable | undefined;

  private constructor(server: Server, renewal?: Disposable) {
    this.#server = server;
    this.#renewal = renewal;
  }

  static async openTcp({ listen, onKnock, onConnection }: StreamListenerOptions): Promise<StreamListener> {
    const server = createServer((socket) => {
      const connection = onKnock(socket);
      if (connection === undefined) socket.destroy();
      else onConnection(socket, connection);
    });
    return await new StreamListener(server).#listen(listen);
  }

  /** Certificates of clients are asked for and not insisted on: peers and trunks show theirs, phones have none. */
  static async openTls(options: TlsListenerOptions): Promise<StreamListener> {
    const { listen, certificates, onKnock, onConnection } = options;
    const server = createTlsServer({
      ...certificates.current.options,
      ...deviceTls,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: handshakeMs,
    });
    // The socket that a session runs on is not to be had from it: its other end tells which it is.
    const knocked = new Map<string, number>();
    server.on('connection', (socket: Socket) => {
      const connection = onKnock(socket);
      if (connection === undefined) return socket.destroy();
      const end = otherEnd(socket);
      knocked.set(end, connection);
      return socket.once('close', () => knocked.delete(end));
    });
    server.on('secureConnection', (socket) => {
      const connection = knocked.get(otherEnd(socket));
      if (connection === undefined) socket.destroy();
      else onConnection(socket, connection);
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    const renewal = certificates.onChange(({ options: renewed }) =>
      server.setSecureContext({ ...renewed, ...deviceTls }),
    );
    return await new StreamListener(server, renewal).#listen(listen);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no more connections; resolves when those that were taken are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#renewal?.[Symbol.dispose]();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async #listen({ host, port }: Address): Promise<this> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return this;
  }
}

const otherEnd = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
