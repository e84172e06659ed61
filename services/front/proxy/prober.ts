import type { Request } from '../../sip/message/message.ts';
import { parseDatagram } from '../../sip/message/parse.ts';
import { buildRequest } from '../../sip/message/request.ts';
import type { Flow } from '../../sip/transport/flow-token.ts';
import { magicCookie } from '../../sip/message/via.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Engine } from '../engine/engine.ts';
import type { OwnAddresses } from './own-addresses.ts';

/** Something that is asked by OPTIONS whether it serves. */
export type Probed = {
  readonly uri: string;
  readonly flow: () => Promise<Flow | undefined>;
  /** Whether an answer of this status shows that it serves. */
  readonly serves: (status: number) => boolean;
};

export type ProberOptions = {
  readonly engine: Engine;
  readonly own: OwnAddresses;
  readonly clock: Clock;
  readonly onChange: (uri: string, isAlive: boolean) => void;
};

const sweepMs = 1_000;
/** What serves is asked again so much later; what does not, at every sweep. */
const everyMs = 5_000;
const answerMs = 2_000;
/** What no call went to for so long is asked no more. */
const forgetMs = 600_000;

type State = {
  readonly probed: Probed;
  isAlive: boolean;
  /** A first probe has come to a result. */
  isKnown: boolean;
  isAsked: boolean;
  askedMs: number;
  usedMs: number;
  readonly isKept: boolean;
};

/**
 * Knows which next hops and peers' fronts serve (RFC 3261 section 11). One that was never asked counts as alive.
 *
 * Invariant: at most one probe of each is under way; what is not used any longer is forgotten.
 */
export class Prober implements Disposable {
  readonly #options: ProberOptions;
  readonly #states = new Map<string, State>();
  readonly #timer: NodeJS.Timeout;
  #count = 0;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
  }

  /** Whether it served when it was asked last; asks from now on. */
  isAlive(probed: Probed, isKept = false): boolean {
    const known = this.#states.get(probed.uri);
    if (known) {
      known.usedMs = this.#nowMs;
      return known.isAlive;
    }
    const state = {
      probed,
      isAlive: true,
      isKnown: false,
      isAsked: false,
      askedMs: 0,
      usedMs: this.#nowMs,
      isKept,
    };
    this.#states.set(probed.uri, state);
    this.#ask(state);
    return true;
  }

  /** Whether it was ever asked, so that it does not only count as alive. */
  isKnown(uri: string): boolean {
    return this.#states.get(uri)?.isKnown === true;
  }

  /** A request to it was not answered: it is asked at once. */
  suspect(uri: string): void {
    const state = this.#states.get(uri);
    if (state) this.#ask(state);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#states.clear();
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #sweep(): void {
    for (const [uri, state] of this.#states) {
      if (!state.isKept && this.#nowMs - state.usedMs > forgetMs) this.#states.delete(uri);
      else if (!state.isAlive || this.#nowMs - state.askedMs > everyMs) this.#ask(state);
    }
  }

  #ask(state: State): void {
    if (state.isAsked) return;
    state.isAsked = true;
    state.askedMs = this.#nowMs;
    void this.#answered(state.probed).then((isAlive) => {
      state.isAsked = false;
      state.isKnown = true;
      if (state.isAlive === isAlive || this.#states.get(state.probed.uri) !== state) return;
      state.isAlive = isAlive;
      this.#options.onChange(state.probed.uri, isAlive);
    });
  }

  async #answered(probed: Probed): Promise<boolean> {
    const flow = await probed.flow();
    if (!flow) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const late = setTimeout(() => resolve(false), answerMs);
    this.#options.engine.send(this.#optionsRequest(probed.uri, flow), flow, {
      onResponse: ({ status }) => resolve(probed.serves(status)),
      onTimeout: () => resolve(false),
      onUnsendable: () => resolve(false),
    });
    const isAlive = await promise;
    clearTimeout(late);
    return isAlive;
  }

  #optionsRequest(uri: string, flow: Flow): Request {
    const { own, engine } = this.#options;
    this.#count += 1;
    const unique = `${engine.newTag()}.${this.#count}`;
    const bytes = buildRequest({
      method: 'OPTIONS',
      uri,
      via: own.via(flow, `${magicCookie}${unique}`),
      from: `<${own.uri(flow)}>;tag=${engine.newTag()}`,
      to: `<${uri}>`,
      callId: unique,
      cseq: 1,
      headers: [['Accept', 'application/sdp']],
    });
    return parseDatagram(bytes) as Request;
  }
}
