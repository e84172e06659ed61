import { isDualhomeError } from '../../protocol/errors/index.ts';
import type { DualhomeError } from '../../protocol/errors/index.ts';
import type { Frame } from '../../protocol/link/codec.ts';
import type { Hello } from '../../protocol/link/frame.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Connection } from './connection.ts';
import { greet } from './greet.ts';
import type { Greeted } from './greet.ts';
import { dueAtMs, initialState, step } from './machine.ts';
import type { Failure, LinkEffect, LinkEvent, LinkRules, LinkState } from './machine.ts';

export type LinkDriverOptions = {
  readonly rules: LinkRules;
  readonly clock: Clock;
  /** An authenticated connection to the peer. */
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
  /** What this side says first, as of now. */
  readonly hello: () => Hello;
  readonly onUp: (connection: Connection, greeted: Greeted) => void;
  readonly onFrame: (frame: Frame) => void;
  readonly onHeartbeatDue: (connection: Connection) => void;
  /** The connection is down, or another attempt to make one failed. */
  readonly onDown: (failure: Failure) => void;
};

/** Carries out what the link machine decides, and tells it what happens. */
export class LinkDriver {
  readonly #options: LinkDriverOptions;
  readonly #connections = new Map<number, { readonly connection: Connection; readonly greeted: Greeted }>();
  #lastId = 0;
  #state: LinkState;
  #timer: NodeJS.Timeout | undefined;
  #dialling = new AbortController();

  constructor(options: LinkDriverOptions) {
    this.#options = options;
    this.#state = initialState(options.rules, options.clock.monotonicMs());
  }

  get phase(): LinkState['phase'] {
    return this.#state.phase;
  }

  start(): void {
    this.#happened({ type: 'tick' });
  }

  stop(): void {
    this.#happened({ type: 'stop' });
  }

  /** An authenticated connection that the peer has made. */
  accept(connection: Connection): void {
    this.#greet(connection, ({ code, detail }) => {
      if (this.phase === 'waiting') this.#options.onDown({ code, detail: detail ?? '' });
    });
  }

  #happened(event: LinkEvent): void {
    const { rules, clock } = this.#options;
    const { state, effects } = step(rules, this.#state, event, clock.monotonicMs());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (event.type !== 'heard') this.#schedule();
  }

  #schedule(): void {
    const { rules, clock } = this.#options;
    clearTimeout(this.#timer);
    const atMs = dueAtMs(rules, this.#state);
    if (atMs === undefined) return;
    this.#timer = setTimeout(() => this.#happened({ type: 'tick' }), Math.max(0, atMs - clock.monotonicMs()));
  }

  #perform(effect: LinkEffect): void {
    switch (effect.type) {
      case 'dial':
        void this.#dial();
        return;
      case 'abandon-dial':
        this.#dialling.abort();
        return;
      case 'heartbeat':
        this.#with(effect.connection, (connection) => this.#options.onHeartbeatDue(connection));
        return;
      case 'close':
        this.#with(effect.connection, (connection) =>
          connection.close(effect.failure.code, effect.failure.detail),
        );
        return;
      case 'up':
        this.#with(effect.connection, (connection, greeted) => this.#options.onUp(connection, greeted));
        return;
      case 'down':
        this.#options.onDown(effect.failure);
        return;
      default:
        effect satisfies never;
    }
  }

  #with(id: number, use: (connection: Connection, greeted: Greeted) => void): void {
    const entry = this.#connections.get(id);
    if (entry) use(entry.connection, entry.greeted);
  }

  async #dial(): Promise<void> {
    const dialling = new AbortController();
    this.#dialling = dialling;
    const onFailed = ({ code, detail }: DualhomeError): void => {
      if (dialling.signal.aborted) return;
      this.#happened({ type: 'dial-failed', failure: { code, detail: detail ?? '' } });
    };
    try {
      const connection = await this.#options.dial(dialling.signal);
      dialling.signal.addEventListener('abort', () => {
        if (!this.#isGreeted(connection)) connection.close('LINK_SUPERSEDED', 'the peer got through first');
      });
      this.#greet(connection, onFailed);
    } catch (error) {
      if (!isDualhomeError(error)) throw error;
      onFailed(error);
    }
  }

  #greet(connection: Connection, onFailed: (error: DualhomeError) => void): void {
    const { hello, onFrame } = this.#options;
    const onGreeted = (greeted: Greeted): void => {
      this.#lastId += 1;
      const id = this.#lastId;
      this.#connections.set(id, { connection, greeted });
      connection.listen({
        onHeard: () => this.#happened({ type: 'heard', connection: id }),
        onFrame,
        onClosed: ({ code, detail }) => {
          this.#connections.delete(id);
          this.#happened({ type: 'closed', connection: id, failure: { code, detail: detail ?? '' } });
        },
      });
      this.#happened({ type: 'connected', connection: id });
    };
    greet({ connection, hello: hello(), onGreeted, onFailed });
  }

  #isGreeted(connection: Connection): boolean {
    return [...this.#connections.values()].some((entry) => entry.connection === connection);
  }
}
