import { once } from 'node:events';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { Address } from '../../protocol/program-config.ts';
import { handshakeMs } from '../../protocol/link/limits.ts';
import type { CertificateStore } from '../../platform/tls/certificate-store.ts';
import { authenticate } from './authenticate.ts';
import type { TrustedPeer } from './authenticate.ts';
import { Connection } from './connection.ts';
import { presentedBy } from './dial.ts';

export type ListenerOptions = {
  readonly address: Address;
  readonly certificates: CertificateStore;
  /** With the authorities that are valid now. */
  readonly peers: () => readonly TrustedPeer[];
  /** An authenticated connection of `peer`; nothing was read from it yet. */
  readonly onConnection: (peer: string, connection: Connection) => void;
  /** Somebody was refused. */
  readonly onRefused: (error: DualhomeError) => void;
};

/** More than any number of peers needs; what is beyond waits in the kernel. */
const connectionsMax = 64;

/** Where peers dial in. Who cannot prove to be a peer is told why, unheard, and cut off. */
export class LinkListener implements AsyncDisposable {
  readonly #server;
  readonly #attached: Disposable;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(options: ListenerOptions) {
    // Certificates are checked below, by us, so that a refusal has a code.
    const tlsOptions = {
      ...options.certificates.current.options,
      requestCert: true,
      rejectUnauthorized: false,
    };
    this.#server = createServer({ ...tlsOptions, handshakeTimeout: handshakeMs }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      accept(socket, options);
    });
    this.#server.maxConnections = connectionsMax;
    this.#server.on('tlsClientError', (error) => {
      options.onRefused(
        new DualhomeError('LINK_FRAME_INVALID', { detail: `no TLS session: ${messageOf(error)}` }),
      );
    });
    this.#attached = options.certificates.attach(this.#server);
  }

  static async open(options: ListenerOptions): Promise<LinkListener> {
    const listener = new LinkListener(options);
    listener.#server.listen(options.address.port, options.address.host);
    await once(listener.#server, 'listening');
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#attached[Symbol.dispose]();
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
  }
}

function accept(socket: TLSSocket, { peers, onConnection, onRefused }: ListenerOptions): void {
  const connection = new Connection(socket);
  try {
    onConnection(authenticate(presentedBy(socket), peers(), Date.now()), connection);
  } catch (error) {
    if (!(error instanceof DualhomeError)) throw error;
    connection.close(error.code, error.detail ?? '');
    onRefused(error);
  }
}
