import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { Client } from 'basic-ftp';
import type { DualhomeError } from '../../../protocol/errors/index.ts';
import type { Secret } from '../../logging/secret.ts';
import { orAborted } from '../or-aborted.ts';
import { failureOf, isNoSuchFile, isOfLocalFile } from './failure.ts';
import type { SessionPhase } from './failure.ts';
import { seeWholeReplies } from './whole-replies.ts';

/** An FTP server and how to log in there. */
export type FtpServerAddress = {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte, TLS by AUTH (RFC 4217), or none. */
  readonly security: 'implicit' | 'explicit' | 'plain';
  readonly user: string;
  readonly password: Secret;
  /** Where the files are; where the login leads if absent. */
  readonly directory?: string | undefined;
  /** Own key and certificate, authorities trusted, and the name the server's certificate must have. */
  readonly tls?:
    Pick<ConnectionOptions, 'key' | 'cert' | 'ca' | 'servername' | 'checkServerIdentity'> | undefined;
};

export type FtpSessionOptions = {
  /** Without an answer, or without a byte moving; also the longest the server may take to hash a file. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

export type TransferOptions = {
  readonly signal: AbortSignal;
  /** Told now and then how many bytes have moved. */
  readonly onBytes: (bytes: number) => void;
};

/** Opening a session takes a dozen exchanges, and one handshake that basic-ftp puts no limit to. */
const openTimeouts = 4;

/**
 * One login at any FTP server, for one operation at a time.
 *
 * Invariant: an operation whose signal aborts rejects at once with the signal's reason, and the session is closed;
 * every other failure is a DualhomeError. A failed transfer closes the session too.
 */
export class FtpSession implements Disposable {
  readonly #client: Client;
  readonly #server: FtpServerAddress;
  #features: ReadonlyMap<string, string> = new Map();
  #phase: SessionPhase = 'opening';

  private constructor(server: FtpServerAddress, timeoutMs: number) {
    this.#server = server;
    this.#client = new Client(timeoutMs);
    seeWholeReplies(this.#client.ftp);
  }

  /** @throws FTP_UNREACHABLE, FTP_TLS_REFUSED, FTP_LOGIN_REFUSED, FTP_BUSY */
  static async open(server: FtpServerAddress, { timeoutMs, signal }: FtpSessionOptions): Promise<FtpSession> {
    const session = new FtpSession(server, timeoutMs);
    const deadline = AbortSignal.timeout(openTimeouts * timeoutMs);
    try {
      await session.#run(AbortSignal.any([signal, deadline]), (client) => session.#logIn(client));
      session.#phase = 'open';
      return session;
    } catch (error) {
      session[Symbol.dispose]();
      throw error === deadline.reason ? session.#failureOf(error) : error;
    }
  }

  get closed(): boolean {
    return this.#client.closed;
  }

  /** Whether the server tells the SHA-256 of a file (command XSHA256, listed by FEAT). */
  get hashes(): boolean {
    return this.#features.has('XSHA256');
  }

  /** Bytes of a file; undefined when there is none. */
  async size(name: string, signal: AbortSignal): Promise<number | undefined> {
    return this.#run(signal, (client) =>
      client.size(name).catch((error: unknown) => {
        if (isNoSuchFile(error)) return undefined;
        throw error;
      }),
    );
  }

  /** SHA-256 of a whole file, as the server computes it. */
  async sha256(name: string, signal: AbortSignal): Promise<string | undefined> {
    const { message } = await this.#run(signal, (client) => client.send(`XSHA256 ${name}`));
    return /\b[0-9a-f]{64}\b/i.exec(message)?.[0].toLowerCase();
  }

  /** Sends `source` to its end: to a new file, or behind what the file holds. The 226 proves nothing. */
  async store(
    name: string,
    source: Readable,
    mode: 'new' | 'append',
    transfer: TransferOptions,
  ): Promise<void> {
    await this.#transfer(transfer, source, (client) =>
      mode === 'new' ? client.uploadFrom(source, name) : client.appendFrom(source, name),
    );
  }

  /** Writes a file to `target`, from byte `startByte` on, and ends it. The 226 proves nothing. */
  async retrieve(
    name: string,
    target: Writable,
    startByte: number,
    transfer: TransferOptions,
  ): Promise<void> {
    await this.#transfer(transfer, target, (client) => client.downloadTo(target, name, startByte));
  }

  /** Replaces `to`. */
  async rename(from: string, to: string, signal: AbortSignal): Promise<void> {
    await this.#run(signal, (client) => client.rename(from, to));
  }

  /** Removes a file, if there is one. */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#run(signal, async (client) => {
      await client.remove(name).catch((error: unknown) => {
        if (!isNoSuchFile(error)) throw error;
      });
    });
  }

  /** Names of the files in the directory. */
  async names(signal: AbortSignal): Promise<readonly string[]> {
    const files = await this.#run(signal, (client) => client.list());
    return files.filter(({ isFile }) => isFile).map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  /**
   * Runs a transfer, reports its bytes, and waits until the local file is closed, also when it failed. A local error
   * is asked for, because basic-ftp hides one that comes before the data connection.
   */
  async #transfer(
    { signal, onBytes }: TransferOptions,
    local: Readable | Writable,
    work: (client: Client) => Promise<unknown>,
  ): Promise<void> {
    let localError: unknown;
    local.on('error', (error) => (localError ??= error));
    this.#client.trackProgress(({ bytes }) => onBytes(bytes));
    try {
      await this.#run(signal, work);
    } catch (error) {
      throw isOfLocalFile(localError) ? this.#failureOf(localError) : error;
    } finally {
      this.#client.trackProgress();
      local.destroy();
      if (!local.closed) await once(local, 'close');
    }
  }

  async #run<T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> {
    const close = () => this.#client.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      return await orAborted(work(this.#client), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#failureOf(error);
    } finally {
      signal.removeEventListener('abort', close);
    }
  }

  async #logIn(client: Client): Promise<void> {
    const { host, port, security, user, password, tls, directory } = this.#server;
    const secure = security === 'implicit' ? 'implicit' : security === 'explicit';
    await client.access({ host, port, user, password: password.reveal(), secure, secureOptions: { ...tls } });
    if (directory !== undefined) await client.cd(directory);
    this.#features = await client.features();
  }

  #failureOf(error: unknown): DualhomeError {
    const { host, port } = this.#server;
    return failureOf(error, this.#phase, { host, port });
  }
}
