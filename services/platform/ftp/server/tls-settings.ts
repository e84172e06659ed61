import { randomBytes } from 'node:crypto';
import type { SecureContextOptions, Server, TlsOptions } from 'node:tls';
import type { FtpServerLimits } from './limits.ts';

/** Key and certificate of the server, and the authorities of the clients it accepts. */
export type FtpServerTls = Pick<SecureContextOptions, 'key' | 'cert' | 'ca'>;

/**
 * TLS as all channels of a server use it: both ends prove a certificate, and data connections resume the session of
 * their control connection.
 *
 * Invariant: a session made under older certificates is never resumed under newer ones, because resuming skips
 * their verification.
 */
export class TlsSettings {
  readonly #handshakeTimeoutMs: number;
  #options: TlsOptions;

  constructor(tls: FtpServerTls, { handshakeTimeoutMs }: Pick<FtpServerLimits, 'handshakeTimeoutMs'>) {
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    this.#options = this.#optionsFor(tls);
  }

  /** For the next server made. */
  get serverOptions(): TlsOptions {
    return this.#options;
  }

  /** Uses other certificates from now on, on `server` and for `serverOptions`. */
  replace(tls: FtpServerTls, server: Server): void {
    this.#options = this.#optionsFor(tls);
    server.setSecureContext(this.#options);
  }

  #optionsFor({ key, cert, ca }: FtpServerTls): TlsOptions {
    return {
      key,
      cert,
      ca,
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: this.#handshakeTimeoutMs,
      // The same for the control server and every data server of one epoch of certificates.
      ticketKeys: randomBytes(48),
      sessionIdContext: 'ftp',
    };
  }
}
