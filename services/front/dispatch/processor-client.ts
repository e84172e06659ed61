import { connect } from 'node:net';
import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import { dispatchVersion, lineBytesMax, processorMessageSchema } from '../../protocol/dispatch/messages.ts';
import type { Decision, Facts, ProcessorMessage, ProcessorState } from '../../protocol/dispatch/messages.ts';
import type { FrontConfig } from '../../protocol/program-config.ts';
import { InFlight } from '../../platform/collections/in-flight.ts';
import { LineConnection } from '../../platform/ipc/line-connection.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { Asker, Respondent } from './ask-in-turn.ts';

export type ProcessorConfig = FrontConfig['processors'][number];

export type ProcessorClientOptions = {
  readonly config: ProcessorConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** Its configuration has moved: what was learned from its answers is void. */
  readonly onConfiguration: () => void;
};

/** How long a processor may be away or silent before its devices are sent to their other site. */
export const graceMs = 3_000;

const redialMs = 50;
const watchMs = 50;
/** After how long, up to `watchMs` later, another may be asked beside it. */
const lateMs = 200;
const heartbeatMs = 1_000;
/** Questions of which the oldest is not answered. */
const openMax = 32_768;
const backlogBytesMax = 8_388_608;

/** Whom nobody is: asked for, so that a processor that has stopped is noticed while nobody asks anything. */
const nobody: Facts = {
  kind: 'register',
  party: { user: '', host: '' },
  credentials: null,
  source: { transport: 'udp', address: '', port: 0 },
  instance: null,
  contactHost: null,
};

/** What a heartbeat's answer is about: no question. */
const heartbeatId = 0;

type Asked = { readonly facts: Facts; readonly asker: Asker; readonly askedMs: number; isLate: boolean };

/**
 * One processor, over its socket, connected again whenever it is gone.
 *
 * Invariant: each question gets one decision or, `graceMs` after it was asked or at once while the processor has been
 * away that long, none. Who asked is told when it takes longer than `lateMs`. Questions that were under way when a
 * connection was lost are asked again over the next.
 */
export class ProcessorClient implements AsyncDisposable, Respondent {
  readonly config: ProcessorConfig;
  readonly #options: ProcessorClientOptions;
  readonly #asked = new InFlight<Asked>(openMax);
  readonly #watch: NodeJS.Timeout;
  #connection: LineConnection | undefined;
  #isGreeted = false;
  #state: ProcessorState | undefined;
  #redial: NodeJS.Timeout | undefined;
  #isClosed = false;
  #reported = '';
  /** When it was last heard of; while nothing is asked, silence means nothing. */
  #heardMs: number;
  #beatMs = 0;

  constructor(options: ProcessorClientOptions) {
    this.config = options.config;
    this.#options = options;
    this.#heardMs = options.clock.monotonicMs();
    this.#watch = setInterval(() => this.#look(), watchMs);
    this.#dial();
  }

  get state(): ProcessorState | undefined {
    return this.#state;
  }

  /** Whether it answers, or has not been away for longer than it may. */
  get isAvailable(): boolean {
    return this.#options.clock.monotonicMs() - this.#heardMs < graceMs;
  }

  /** Whether its devices are served: M11, what their handshake is told. */
  get isServing(): boolean {
    return this.isAvailable && this.#state?.serving === true;
  }

  /** Questions without an answer. */
  get open(): number {
    return this.#asked.size;
  }

  ask(facts: Facts, asker: Asker): void {
    if (this.#isClosed || !this.isAvailable || this.#asked.isFull) return asker.decide(undefined);
    const askedMs = this.#options.clock.monotonicMs();
    this.#say(this.#asked.add({ facts, asker, askedMs, isLate: false }), facts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    clearTimeout(this.#redial);
    for (const [id] of this.#asked) this.#settle(id, undefined);
    await this.#connection?.[Symbol.asyncDispose]();
  }

  #dial(): void {
    this.#redial = undefined;
    this.#isGreeted = false;
    this.#connection = new LineConnection(connect(this.config.socket), {
      lineBytesMax,
      onMessage: (message) => this.#hear(processorMessageSchema.parse(message)),
      onClosed: (error) => this.#lost(error),
    });
  }

  #lost(error: unknown): void {
    this.#connection = undefined;
    if (this.#isClosed) return;
    this.#report(error);
    this.#redial = setTimeout(() => this.#dial(), redialMs);
  }

  /** Once for each cause; a processor that is not there yet is nothing to report. */
  #report(error: unknown): void {
    const reason = messageOf(error);
    if (error === undefined || reason === this.#reported) return;
    this.#reported = reason;
    this.#options.log.warn({ owner: this.config.owner, reason }, 'no connection to a processor');
  }

  #hear(message: ProcessorMessage): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    switch (message.kind) {
      case 'hello':
        return this.#greet(message.version, message.owner);
      case 'state':
        return this.#learn(message);
      case 'answer':
        return this.#settle(message.id, message.decision);
    }
  }

  #greet(version: number, owner: string): void {
    if (version !== dispatchVersion || owner !== this.config.owner) {
      const detail = `version ${version} of ${owner}, not ${dispatchVersion} of ${this.config.owner}`;
      throw new DualhomeError('IPC_MESSAGE_INVALID', { detail });
    }
    this.#isGreeted = true;
    this.#reported = '';
    for (const [id, { facts }] of this.#asked) this.#say(id, facts);
  }

  #learn(state: ProcessorState): void {
    const [was, is] = [this.#state?.configuration, state.configuration];
    this.#state = state;
    if (was?.seq !== is?.seq || was?.incarnation !== is?.incarnation) this.#options.onConfiguration();
  }

  #settle(id: number, decision: Decision | undefined): void {
    this.#asked.take(id)?.asker.decide(decision);
  }

  #say(id: number, facts: Facts): void {
    if (!this.#isGreeted || !this.#connection || this.#connection.backlogBytes > backlogBytesMax) return;
    this.#connection.send({ id, facts });
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [id, asked] of this.#asked) {
      const waitedMs = nowMs - asked.askedMs;
      if (waitedMs < lateMs) break;
      if (waitedMs >= graceMs) this.#settle(id, undefined);
      else if (!asked.isLate) {
        asked.isLate = true;
        asked.asker.late();
      }
    }
    if (!this.#isGreeted || nowMs - this.#beatMs < heartbeatMs) return;
    this.#beatMs = nowMs;
    this.#say(heartbeatId, nobody);
  }
}
