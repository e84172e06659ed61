import type { TLSSocket } from 'node:tls';
import { DualhomeError, isDualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';
import { decodeFrame, encodeControl, encodeHead } from '../../protocol/link/codec.ts';
import type { ControlBody, ControlName, Frame } from '../../protocol/link/codec.ts';
import { FrameDecoder } from '../../protocol/link/decoder.ts';
import type { RawFrame } from '../../protocol/link/decoder.ts';
import { encodeEventsHead } from '../../protocol/link/events-frame.ts';
import type { EventsHead } from '../../protocol/link/events-frame.ts';
import { FrameType } from '../../protocol/link/frame.ts';
import { frameBytesMax, helloBytesMax } from '../../protocol/link/limits.ts';
import { Outbox, Priority } from './outbox.ts';
import { errorSaid } from './said.ts';

export type ConnectionListener = {
  /** Anything arrived, be it half a frame. */
  readonly onHeard: () => void;
  readonly onFrame: (frame: Frame) => void;
  readonly onClosed: (error: DualhomeError) => void;
};

/** How long the last words may take to get through. */
const lingerMs = 1_000;

/** Types that are read whatever the version. */
const sharedTypes: ReadonlySet<number> = new Set([FrameType.hello, FrameType.heartbeat, FrameType.bye]);

/**
 * Frames over one authenticated socket.
 *
 * Invariant: what is not of the protocol closes it and reaches nobody; once closed, for whatever
 * reason, its listener hears of that once and of nothing else.
 */
export class Connection {
  readonly #socket: TLSSocket;
  readonly #decoder = new FrameDecoder(helloBytesMax);
  readonly #outbox: Outbox;
  readonly #closed = new AbortController();
  #listener: ConnectionListener | undefined;
  #sharedOnly = false;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.#outbox = new Outbox(socket);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    socket.on('error', (error) => this.#end('LINK_CLOSED', messageOf(error)));
    socket.on('close', () => this.#end('LINK_CLOSED', 'the connection ended'));
  }

  /** Aborts when the connection is closed, with why. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** Begins to read; frames go to the newest listener. */
  listen(listener: ConnectionListener): void {
    if (!this.#listener) this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#listener = listener;
  }

  /** After HELLO: `version` is what both ends speak; without one only what all versions share is read. */
  upgrade(version: number | undefined): void {
    this.#decoder.bytesMax = frameBytesMax;
    this.#sharedOnly = version === undefined;
  }

  /** Resolves when the socket has taken the frame. @throws LINK_CLOSED and the like */
  async send<N extends ControlName>(
    name: N,
    body: ControlBody<N>,
    priority: Priority = Priority.control,
  ): Promise<void> {
    await this.#send([encodeControl(name, body)], priority);
  }

  /** EVENTS whose bodies are packed already: u32 length and body each. */
  async sendEvents(head: EventsHead, packed: Buffer, priority: Priority): Promise<void> {
    const eventsHead = encodeEventsHead(head);
    const frameHead = encodeHead(FrameType.events, eventsHead.length + packed.length);
    await this.#send([frameHead, eventsHead, packed], priority);
  }

  /** Says why, then closes. */
  close(code: ErrorCode, detail: string): void {
    if (this.signal.aborted) return;
    // Written past the outbox: these are the last words, and what waits there is lost anyway.
    if (this.#socket.writable)
      this.#socket.end(encodeControl('bye', { code, detail: detail.slice(0, 2_000) }));
    this.#end(code, detail);
  }

  async #send(parts: readonly Buffer[], priority: Priority): Promise<void> {
    try {
      await this.#outbox.send(parts, priority);
    } catch (error) {
      if (isDualhomeError(error, 'LINK_SILENT')) this.close('LINK_SILENT', messageOf(error));
      throw error;
    }
  }

  #receive(chunk: Buffer): void {
    try {
      this.#listener?.onHeard();
      for (const raw of this.#decoder.push(chunk)) {
        if (this.signal.aborted) return;
        this.#dispatch(raw);
      }
    } catch (error) {
      if (!isDualhomeError(error)) throw error;
      this.close(error.code, error.detail ?? '');
    }
  }

  #dispatch(raw: RawFrame): void {
    if (this.#sharedOnly && !sharedTypes.has(raw.type)) return;
    const frame = decodeFrame(raw);
    if (frame.name !== 'bye') this.#listener?.onFrame(frame);
    else this.#fail(errorSaid(frame.body));
  }

  #end(code: ErrorCode, detail: string): void {
    this.#fail(new DualhomeError(code, { detail }));
  }

  #fail(error: DualhomeError): void {
    if (this.signal.aborted) return;
    this.#closed.abort(error);
    this.#outbox.close(error);
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), lingerMs).unref();
    this.#listener?.onClosed(error);
  }
}
