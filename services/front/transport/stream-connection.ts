import type { Socket } from 'node:net';
import type { Request, Response } from '../../sip/message/message.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { StreamFramer } from '../../sip/transport/stream-framer.ts';
import type { Frame } from '../../sip/transport/stream-framer.ts';
import type { TransportEvents } from './events.ts';
import type { Identity } from './identity.ts';

/** What may wait for an other end that reads too slowly. */
const unsentBytesMax = 262_144;

/** How long a connection may be silent that nobody has proven anything over. */
const unprovenSilenceMs = 60_000;

const pong = Buffer.from('\r\n');

/**
 * One TCP or TLS connection, whoever opened it.
 *
 * Invariant: it is closed when its stream is broken, when a message or an unproven device takes too long, and when more
 * waits to be sent than the limit. What is sent before `opened` waits within that limit.
 */
export class StreamConnection {
  readonly flow: Flow;
  readonly #socket: Socket;
  readonly #events: TransportEvents;
  readonly #framer = new StreamFramer();
  #waiting: Buffer[] | undefined = [];
  #waitingBytes = 0;
  #identity: Identity | undefined;
  #proven: boolean;
  #heardMs: number;

  constructor(
    socket: Socket,
    flow: Flow,
    options: {
      readonly events: TransportEvents;
      /** Opened by this side, or shown to be genuine already. */
      readonly proven: boolean;
      readonly monotonicMs: () => number;
    },
  ) {
    this.flow = flow;
    this.#socket = socket;
    this.#events = options.events;
    this.#proven = options.proven;
    this.#heardMs = options.monotonicMs();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (chunk) => this.#receive(chunk, options.monotonicMs()));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#events.onClosed(this.flow));
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** It can be written to; `identity` is what its other end has proven. */
  opened(identity?: Identity): void {
    this.#identity = identity;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#waitingBytes = 0;
    for (const bytes of waiting) this.#socket.write(bytes);
  }

  /** Somebody genuine is at the other end: it may be silent as long as it likes. */
  prove(): void {
    this.#proven = true;
  }

  /** Whether the bytes were taken; where not, the connection is being closed. */
  send(bytes: Buffer): boolean {
    if (this.#socket.destroyed) return false;
    if (this.#socket.writableLength + this.#waitingBytes + bytes.length > unsentBytesMax) {
      this.#socket.destroy();
      return false;
    }
    if (this.#waiting) {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
    } else this.#socket.write(bytes);
    return true;
  }

  /** Closes it where it has been silent, or busy with one message, for too long. */
  closeIfOverdue(nowMs: number): void {
    const isSilent = !this.#proven && nowMs - this.#heardMs > unprovenSilenceMs;
    if (isSilent || this.#framer.isOverdue(nowMs)) this.#socket.destroy();
  }

  /** Sends what waits, then closes. */
  close(): void {
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer, nowMs: number): void {
    this.#heardMs = nowMs;
    for (const frame of this.#framer.push(chunk, nowMs)) this.#take(frame);
  }

  /** Over a connection that was opened from here, or has carried something genuine, everything is. */
  #isAdmitted({ kind }: Request | Response): boolean {
    return this.#proven || this.#events.admit(this.flow.address, kind === 'response');
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case 'message':
        if (this.#isAdmitted(frame.message)) this.#events.onMessage(frame.message, this.flow);
        else this.#socket.destroy();
        return;
      case 'ping':
        return void this.send(pong);
      case 'pong':
        return;
      case 'broken':
        if (frame.request) this.#events.onBroken(frame.request, frame.refusal, this.flow);
        return this.close();
    }
  }
}
