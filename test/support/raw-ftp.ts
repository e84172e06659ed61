import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

/** A whole reply: its code, and its text with all lines. */
export type RawReply = { readonly code: number; readonly text: string };

type Address = { readonly host: string; readonly port: number };

/** An FTP control connection that sends what it is told to, right or wrong, packet by packet. */
export class RawFtp implements Disposable {
  readonly socket: Socket;
  readonly #address: Address;
  readonly #tls: ConnectionOptions | undefined;
  readonly #events = new EventEmitter();
  readonly #replies: RawReply[] = [];
  #text = '';
  #closed = false;
  #tlsSession: Buffer | undefined;

  constructor(address: Address, socket: Socket, tls: ConnectionOptions | undefined) {
    this.#address = address;
    this.#tls = tls;
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => undefined);
    socket.on('session', (session: Buffer) => (this.#tlsSession = session));
    socket.on('close', () => {
      this.#closed = true;
      this.#events.emit('reply');
      this.#events.emit('close');
    });
  }

  /** Connects, with TLS from the first byte where options for it are given, and reads the greeting. */
  static async connect(address: Address, tls?: ConnectionOptions): Promise<RawFtp> {
    const socket = tls ? connectTls({ ...address, ...tls }) : connect(address);
    const ftp = new RawFtp(address, socket, tls);
    await once(socket, tls ? 'secureConnect' : 'connect');
    await ftp.reply();
    return ftp;
  }

  /** The next reply; undefined when the connection ends before one. */
  async reply(): Promise<RawReply | undefined> {
    while (this.#replies.length === 0 && !this.#closed) await once(this.#events, 'reply');
    return this.#replies.shift();
  }

  /** Sends one command and waits for its reply. */
  async command(line: string): Promise<RawReply> {
    this.socket.write(`${line}\r\n`);
    const reply = await this.reply();
    if (!reply) throw new Error(`connection closed after ${line}`);
    return reply;
  }

  /** Logs in; the reply to PASS. */
  async logIn(user: string, password: string): Promise<RawReply> {
    await this.command(`USER ${user}`);
    return this.command(`PASS ${password}`);
  }

  /** Port of a new passive data channel. */
  async passivePort(): Promise<number> {
    const { text } = await this.command('EPSV');
    return Number(/\|\|\|(\d+)\|/.exec(text)?.[1]);
  }

  /** A data connection, with TLS like the control connection, resuming its session, unless told otherwise. */
  async dataSocket(port: number, tls: ConnectionOptions | undefined = this.#tls): Promise<Socket> {
    const { host } = this.#address;
    const raw = connect({ host, port });
    raw.on('error', () => undefined);
    await once(raw, 'connect');
    if (!tls) return raw;
    const session = tls === this.#tls ? this.#tlsSession : undefined;
    const secure = connectTls({ ...tls, socket: raw, ...(session ? { session } : {}) });
    secure.on('error', () => undefined);
    return secure;
  }

  /** Turns an open connection into a TLS one, after AUTH TLS. */
  async upgrade(tls: ConnectionOptions): Promise<RawFtp> {
    // The stock server takes a hello that comes at once for a command.
    await wait(50);
    this.socket.removeAllListeners('data');
    return new RawFtp(this.#address, connectTls({ ...tls, socket: this.socket }), tls);
  }

  /** When the server has closed the connection. */
  async closed(): Promise<void> {
    if (!this.#closed) await once(this.#events, 'close');
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#text += chunk.toString('latin1');
    for (;;) {
      const match = /^(?:(\d{3})-[\s\S]*?\r\n\1 |(\d{3}) )[^\r\n]*\r\n/.exec(this.#text);
      if (!match) return;
      this.#text = this.#text.slice(match[0].length);
      this.#replies.push({ code: Number(match[1] ?? match[2]), text: match[0].trimEnd() });
      this.#events.emit('reply');
    }
  }
}
