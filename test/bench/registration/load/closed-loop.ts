import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { SipAddress } from '../../../support/clients/sip-address.ts';
import { aUser } from '../../../support/clients/users.ts';
import type { SipUser } from '../../../support/clients/users.ts';
import { Registration } from './registration.ts';

export type ClosedLoopOptions = {
  readonly target: SipAddress;
  readonly source: SipAddress;
  /** Registers users `first` to `first + count - 1`, each once. */
  readonly first: number;
  readonly count: number;
  readonly atATime: number;
  readonly expiresS: number;
  readonly sequence: number;
};

export type ClosedLoopResult = {
  readonly elapsedMs: number;
  /** From the first REGISTER to the 200, of each. */
  readonly responseTimesMs: readonly number[];
  readonly failed: number;
  readonly retransmissions: number;
};

type Running = {
  readonly registration: Registration;
  readonly startedMs: number;
  sentMs: number;
  sent: number;
};

const receiveBufferBytes = 4 * 1024 * 1024;
const t1Ms = 500;
const sendsMax = 7;
const sweepMs = 100;

/** Keeps `atATime` registrations going until every user was registered once; a new one begins as soon as one has ended. */
export class ClosedLoop {
  readonly #options: ClosedLoopOptions;
  readonly #registered: (user: SipUser) => void;
  readonly #running = new Map<string, Running>();
  readonly #responseTimesMs: number[] = [];
  readonly #socket: Socket;
  readonly #done = Promise.withResolvers<void>();
  #begun = 0;
  #failed = 0;
  #retransmissions = 0;

  /** `registered` is called as each 200 arrives. */
  constructor(options: ClosedLoopOptions, registered: (user: SipUser) => void = () => undefined) {
    this.#options = options;
    this.#registered = registered;
    this.#socket = createSocket({ type: 'udp4', recvBufferSize: receiveBufferBytes });
    // Nobody listens: what is sent again and again fails in the end.
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (message) => this.#receive(message.toString('latin1')));
  }

  async run(): Promise<ClosedLoopResult> {
    const { source, target, atATime, count } = this.#options;
    this.#socket.bind(source.port, source.host);
    await once(this.#socket, 'listening');
    this.#socket.connect(target.port, target.host);
    await once(this.#socket, 'connect');
    const sweep = setInterval(() => this.#sendAgain(), sweepMs);
    const startedMs = performance.now();
    for (let n = 0; n < Math.min(atATime, count); n += 1) this.#begin();
    await this.#done.promise;
    const elapsedMs = performance.now() - startedMs;
    clearInterval(sweep);
    this.#socket.close();
    return {
      elapsedMs,
      responseTimesMs: this.#responseTimesMs,
      failed: this.#failed,
      retransmissions: this.#retransmissions,
    };
  }

  #begin(): void {
    const { first, source, expiresS, sequence } = this.#options;
    const n = first + this.#begun;
    this.#begun += 1;
    const callId = `load-${n}`;
    const registration = new Registration({ user: aUser(n), callId, contact: source, expiresS, sequence });
    const nowMs = performance.now();
    const running = { registration, startedMs: nowMs, sentMs: nowMs, sent: 0 };
    this.#running.set(callId, running);
    this.#send(running);
  }

  #send(running: Running): void {
    running.sentMs = performance.now();
    running.sent += 1;
    this.#socket.send(running.registration.request);
  }

  #receive(response: string): void {
    const running = this.#running.get(/^Call-ID: (\S+)/im.exec(response)?.[1] ?? '');
    if (!running) return;
    const next = running.registration.receive(Number(response.slice(8, 11)), response);
    if (next === 'send') {
      running.sent = 0;
      this.#send(running);
    } else if (next !== 'wait') {
      this.#end(running, next === 'done');
    }
  }

  #end(running: Running, isDone: boolean): void {
    this.#running.delete(running.registration.callId);
    if (isDone) {
      this.#responseTimesMs.push(performance.now() - running.startedMs);
      this.#registered(running.registration.user);
    } else {
      this.#failed += 1;
    }
    if (this.#begun < this.#options.count) this.#begin();
    else if (this.#running.size === 0) this.#done.resolve();
  }

  /** RFC 3261, timers E and F. */
  #sendAgain(): void {
    const nowMs = performance.now();
    for (const running of this.#running.values()) {
      if (nowMs - running.sentMs < t1Ms * 2 ** (running.sent - 1)) continue;
      if (running.sent >= sendsMax) {
        this.#end(running, false);
      } else {
        this.#retransmissions += 1;
        this.#send(running);
      }
    }
  }
}
