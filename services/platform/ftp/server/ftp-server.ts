import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { DualhomeError } from '../../../protocol/errors/index.ts';
import type { Logger } from '../../logging/logger.ts';
import { newCounters } from './counters.ts';
import type { FtpServerCounters } from './counters.ts';
import { DataChannel, fingerprintOf } from './data-channel.ts';
import { createStockServer } from './ftp-srv.ts';
import type { StockServer } from './ftp-srv.ts';
import { defaultFtpServerLimits } from './limits.ts';
import type { FtpServerLimits } from './limits.ts';
import { LoginDesk } from './login.ts';
import type { Authorize } from './login.ts';
import { PortRotation } from './passive-ports.ts';
import type { PassivePorts } from './passive-ports.ts';
import { FtpServerSession } from './session.ts';
import type { SessionContext } from './session.ts';
import { TlsSettings } from './tls-settings.ts';
import type { FtpServerTls } from './tls-settings.ts';

export type FtpServerOptions = {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Ports of data connections, to be opened in firewalls; any free ones where absent. Best below 32768. */
  readonly passivePorts?: PassivePorts | undefined;
  /** IPv4 address told to clients that use PASV, where it is not the one they connected to. */
  readonly passiveHost?: string | undefined;
  /** Implicit TLS, client certificates demanded; or nothing, for networks that are protected otherwise. */
  readonly tls: FtpServerTls | 'plain';
  readonly authorize: Authorize;
  readonly limits?: Partial<FtpServerLimits> | undefined;
  readonly log: Logger;
};

/** Starts a server. @throws FTP_LISTEN_FAILED */
export async function startFtpServer(options: FtpServerOptions): Promise<FtpServer> {
  return FtpServer.start(options);
}

/**
 * A server for files that others send here or fetch here: ftp-srv's listener and sessions, with commands, data
 * connections and file access of ours, since the stock ones lose, leak and let through (infra/decisions/0006).
 *
 * Invariants: with TLS nothing is said before it, and every client proves a certificate on both channels; a client
 * touches regular files of the one directory its login gives it; partial files stay; no signal handler is left.
 */
export class FtpServer implements AsyncDisposable {
  readonly security: 'implicit-tls' | 'plain';
  readonly #log: Logger;
  readonly #tls: TlsSettings | undefined;
  readonly #stock: StockServer;
  readonly #counters = newCounters();
  readonly #sessions = new Map<string, FtpServerSession>();
  readonly #connections = new Set<Socket>();

  private constructor(options: FtpServerOptions) {
    const { host, port, tls, log } = options;
    const limits = { ...defaultFtpServerLimits, ...options.limits };
    this.security = tls === 'plain' ? 'plain' : 'implicit-tls';
    this.#log = log;
    this.#tls = tls === 'plain' ? undefined : new TlsSettings(tls, limits);
    this.#stock = createStockServer({ host, port, log, tls: this.#tls?.serverOptions });
    this.#watchConnections(limits);
    this.#admitSessions({
      limits,
      log,
      counters: this.#counters,
      openDataChannel: this.#dataChannels(options, limits),
      passiveAddress: (socket) => ipv4Of(options.passiveHost ?? socket.localAddress),
    });
    this.#decideLogins(new LoginDesk(options.authorize, this.#counters, limits));
  }

  static async start(options: FtpServerOptions): Promise<FtpServer> {
    const { host, port, log } = options;
    const server = new FtpServer(options);
    try {
      await server.#stock.listen();
    } catch (cause) {
      throw new DualhomeError('FTP_LISTEN_FAILED', {
        detail: `${host}:${port}`,
        facts: { host, port },
        cause,
      });
    }
    if (server.security === 'plain') {
      log.warn('FTP without TLS: passwords and files can be read on the way');
    }
    return server;
  }

  get address(): { readonly host: string; readonly port: number } {
    const address = this.#stock.server.address();
    if (typeof address !== 'object' || !address) throw new Error('the server has stopped');
    return { host: address.address, port: address.port };
  }

  get counters(): Readonly<FtpServerCounters> {
    return { ...this.#counters, sessions: this.#sessions.size };
  }

  /** Presents and demands other certificates from the next connection on; open ones go on. */
  setTls(tls: FtpServerTls): void {
    this.#tls?.replace(tls, this.#stock.server as TlsServer);
  }

  /** Ends every session of a user whose credentials are revoked; resolves when nothing of them is left open. */
  async closeSessions(user: string): Promise<void> {
    await this.#close([...this.#sessions.values()].filter((session) => session.user === user));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#stock.server, 'close');
    this.#stock.server.close();
    await this.#close([...this.#sessions.values()]);
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  async #close(sessions: readonly FtpServerSession[]): Promise<void> {
    for (const session of sessions) session.close(421, 'Session closed by the server');
    await Promise.all(sessions.map((session) => session.ended));
  }

  #watchConnections({ connectionsMax }: FtpServerLimits): void {
    const { server } = this.#stock;
    server.maxConnections = connectionsMax;
    server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
    });
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.#counters.handshakesFailed += 1;
      this.#log.warn({ err: error, remoteAddress: socket.remoteAddress }, 'FTP handshake failed');
      socket.destroy();
    });
  }

  #admitSessions(context: SessionContext): void {
    this.#stock.on('connect', ({ connection }) => {
      // Else ftp-srv closes the connection a second time, by a timer.
      delete this.#stock.connections[connection.id];
      const session = new FtpServerSession(connection, context);
      this.#sessions.set(connection.id, session);
      void session.ended.then(() => this.#sessions.delete(connection.id));
    });
  }

  #decideLogins(desk: LoginDesk): void {
    this.#stock.on('login', ({ connection, username, password }, resolve, reject) => {
      const session = this.#sessions.get(connection.id);
      if (!session) return reject(new Error('Session is over'));
      desk.login(session, username, password).then((fs) => resolve({ fs }), reject);
    });
  }

  #dataChannels({ host, passivePorts }: FtpServerOptions, limits: FtpServerLimits) {
    const ports = new PortRotation(passivePorts);
    return ({ socket }: FtpServerSession): Promise<DataChannel> => {
      const tls = this.#tls && { options: this.#tls.serverOptions, fingerprint: fingerprintOf(socket) };
      const { remoteAddress } = socket;
      return DataChannel.listen({ host, ports: ports.candidates(), remoteAddress, tls, limits });
    };
  }
}

function ipv4Of(address: string | undefined): string | undefined {
  const bare = address?.replace(/^::ffff:/, '');
  return bare !== undefined && isIPv4(bare) ? bare : undefined;
}
