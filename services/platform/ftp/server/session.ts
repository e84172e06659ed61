import type { Socket } from 'node:net';
import type { Logger } from '../../logging/logger.ts';
import { commandOf } from './commands.ts';
import type { ConfinedFileSystem } from './confined-file-system.ts';
import type { FtpServerCounters } from './counters.ts';
import type { DataChannel } from './data-channel.ts';
import type { StockConnection } from './ftp-srv.ts';
import type { FtpServerLimits } from './limits.ts';
import { LineReader } from './line-reader.ts';
import { ReplyError, replyErrorOf } from './reply-error.ts';

/** What sessions of one server share. */
export type SessionContext = {
  readonly limits: FtpServerLimits;
  readonly counters: FtpServerCounters;
  readonly log: Logger;
  /** A listener for one data connection of `session`. */
  readonly openDataChannel: (session: FtpServerSession) => Promise<DataChannel>;
  /** Address for replies to PASV (RFC 959 4.1.2), an IPv4 address; undefined where there is none. */
  readonly passiveAddress: (socket: Socket) => string | undefined;
};

/** How long the last replies of a session that is over may take to be read. */
const farewellMs = 1_000;

/**
 * One control connection: reads commands, runs one after the other, and ends with everything it started.
 *
 * Invariants: a command runs only when the one before is answered; unfinished lines and waiting commands are
 * bounded; a client that does not log in, or stays silent, is cut off; when `ended` resolves no file and no data
 * connection of the session is open.
 */
export class FtpServerSession {
  readonly connection: StockConnection;
  readonly context: SessionContext;
  readonly socket: Socket;
  readonly log: Logger;
  /** Aborts when the control connection is gone. */
  readonly signal: AbortSignal;
  user: string | undefined;
  /** Set by the login. */
  files: ConfinedFileSystem | undefined;
  loginAttempts = 0;
  /** Byte named by REST, for the next transfer only. */
  restartAtByte = 0;
  /** Name given to RNFR. */
  renameFrom: string | undefined;

  readonly #closing = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #reader: LineReader;
  readonly #pending: string[] = [];
  #dataChannel: DataChannel | undefined;
  #silence: NodeJS.Timeout;
  #running = false;

  constructor(connection: StockConnection, context: SessionContext) {
    this.connection = connection;
    this.context = context;
    this.socket = connection.commandSocket;
    this.log = context.log.child({ ftpSession: connection.id, remoteAddress: this.socket.remoteAddress });
    this.signal = this.#closing.signal;
    this.#reader = new LineReader(context.limits.lineBytesMax);
    this.#silence = this.#closeAfter(context.limits.loginTimeoutMs);
    this.socket.setNoDelay(true).setKeepAlive(true, 30_000);
    this.socket.removeAllListeners('data');
    this.socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.socket.on('end', () => this.#end());
    this.socket.on('close', () => this.#end());
  }

  /** When the session is over and nothing of it is left. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async reply(code: number, ...lines: unknown[]): Promise<void> {
    await this.connection.reply(code, ...lines);
  }

  /** Says why, then closes; transfers stop at once. */
  close(code: number, message: string): void {
    if (this.socket.writable) this.socket.end(`${code} ${message}\r\n`);
    this.#end();
  }

  /** Replaces an earlier data channel that was not used. */
  set dataChannel(channel: DataChannel) {
    this.#dataChannel?.[Symbol.dispose]();
    this.#dataChannel = channel;
    if (this.signal.aborted) channel[Symbol.dispose]();
  }

  /** Hands the data channel over to a transfer, which disposes it. */
  takeDataChannel(): DataChannel {
    const channel = this.#dataChannel;
    if (!channel) throw new ReplyError(425, 'Use EPSV or PASV first');
    this.#dataChannel = undefined;
    return channel;
  }

  /** Runs work that has time limits of its own, or none, without counting it as silence. */
  async whileBusy<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#silence);
    try {
      return await work();
    } finally {
      this.#listenAgain();
    }
  }

  #receive(chunk: Buffer): void {
    if (this.signal.aborted) return;
    try {
      this.#pending.push(...this.#reader.push(chunk));
    } catch {
      return this.close(500, 'Line too long');
    }
    if (this.#pending.length > this.context.limits.pendingCommandsMax) {
      return this.close(421, 'Too many commands at once');
    }
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let line = this.#pending.shift(); line !== undefined; line = this.#pending.shift()) {
      await this.#run(line);
    }
    this.#running = false;
    if (this.signal.aborted) this.#release();
  }

  async #run(line: string): Promise<void> {
    try {
      const { run, argument } = commandOf(line, this.files !== undefined);
      await run(this, argument);
    } catch (error) {
      const { code, message, cause } = replyErrorOf(error);
      if (code === 451 && !this.signal.aborted) this.log.error({ err: cause }, 'FTP command failed');
      await this.reply(code, message);
    }
    if (this.files) this.#listenAgain();
  }

  #listenAgain(): void {
    clearTimeout(this.#silence);
    if (!this.signal.aborted) this.#silence = this.#closeAfter(this.context.limits.idleTimeoutMs);
  }

  #closeAfter(timeoutMs: number): NodeJS.Timeout {
    return setTimeout(() => this.close(421, 'Timeout'), timeoutMs);
  }

  #end(): void {
    if (this.signal.aborted) return;
    this.#pending.length = 0;
    clearTimeout(this.#silence);
    setTimeout(() => this.socket.destroy(), farewellMs).unref();
    this.#closing.abort();
    if (!this.#running) this.#release();
  }

  #release(): void {
    this.#dataChannel?.[Symbol.dispose]();
    this.#dataChannel = undefined;
    this.socket.destroySoon();
    this.#ended.resolve();
  }
}
