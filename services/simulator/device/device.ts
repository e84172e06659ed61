import { randomBytes } from 'node:crypto';
import { parseExpirySeconds } from '../../sip/message/fields.ts';
import type { Response } from '../../sip/message/message.ts';
import type { Endpoint } from '../../sip/transport/received.ts';
import { Authentication } from '../user-agent/authentication.ts';
import type { UserAgent } from '../user-agent/user-agent.ts';
import { stepDevice } from './reduce.ts';
import { buildProbe, buildRegister, registrarOf } from './requests.ts';
import type { Identity } from './requests.ts';
import { unregistered } from './state.ts';
import type { Behaviour, DeviceInput, DeviceOutput, DeviceState, DeviceTimer, Place } from './state.ts';

/** What becomes known of a device. */
export type DeviceNews =
  | { readonly kind: 'registered'; readonly tookMs: number; readonly isRefresh: boolean }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'unanswered' }
  | { readonly kind: 'moved'; readonly from: Place | null; readonly to: Place; readonly tookMs: number }
  | { readonly kind: 'unregistered' };

export type DeviceOptions = {
  readonly identity: Identity;
  readonly password: string;
  readonly sites: Readonly<Record<Place, Endpoint>>;
  readonly behaviour: Behaviour;
  /** How long an answer is waited for: to OPTIONS, and to each REGISTER. */
  readonly answerMsMax: number;
  readonly userAgent: UserAgent;
  readonly setTimer: (device: Device, timer: DeviceTimer, ms: number) => void;
  readonly clearTimers: (device: Device) => void;
  /** Calls `late` after `ms` unless the function it gives back is called. */
  readonly limit: (late: () => void, ms: number) => () => void;
  readonly onNews: (device: Device, news: DeviceNews) => void;
};

/** A simulated device: the reducer with a user agent. It answers challenges and keeps one Call-ID for each site. */
export class Device {
  readonly #options: DeviceOptions;
  readonly #tag = randomBytes(6).toString('hex');
  readonly #callIds: Readonly<Record<Place, string>>;
  readonly #authentications: Readonly<Record<Place, Authentication>>;
  #cseq = 0;
  #state: DeviceState = unregistered;

  constructor(options: DeviceOptions) {
    const { user } = options.identity;
    const callId = (): string => `${user}-${randomBytes(9).toString('base64url')}`;
    this.#options = options;
    this.#callIds = { primary: callId(), backup: callId() };
    this.#authentications = {
      primary: new Authentication(user, options.password),
      backup: new Authentication(user, options.password),
    };
  }

  get state(): DeviceState {
    return this.#state;
  }

  /** Where it is served, as far as it knows; null while it is not. */
  get servedAt(): Place | null {
    return this.#state.lostSinceMs === null ? this.#state.at : null;
  }

  put(input: DeviceInput): void {
    const { behaviour } = this.#options;
    const context = { behaviour, nowMs: performance.now(), random: Math.random };
    const { state, outputs } = stepDevice(this.#state, input, context);
    this.#state = state;
    for (const output of outputs) this.#perform(output);
  }

  #perform(output: DeviceOutput): void {
    switch (output.kind) {
      case 'register':
        return this.#register(output.to, output.expiresSeconds, performance.now(), 0);
      case 'probe':
        return this.#probe(output.to);
      case 'set-timer':
        return this.#options.setTimer(this, output.timer, output.ms);
      case 'clear-timers':
        return this.#options.clearTimers(this);
      case 'moved':
        return this.#options.onNews(this, output);
    }
  }

  #probe(to: Place): void {
    const { identity, userAgent } = this.#options;
    const sentMs = performance.now();
    const request = buildProbe(identity, userAgent.endpoint, {
      callId: `${this.#callIds[to]}-options`,
      tag: this.#tag,
      cseq: (this.#cseq += 1),
    });
    this.#ask(request, to, (response) =>
      this.put({ kind: 'probed', to, isServed: response !== undefined && response.status !== 503, sentMs }),
    );
  }

  /** `challenged` counts the challenges answered in this attempt. */
  #register(to: Place, expiresSeconds: number, startedMs: number, challenged: number): void {
    const { identity, userAgent } = this.#options;
    const authentication = this.#authentications[to];
    const request = buildRegister(identity, userAgent.endpoint, {
      callId: this.#callIds[to],
      tag: this.#tag,
      cseq: (this.#cseq += 1),
      expiresSeconds,
      credentials: authentication.headers('REGISTER', registrarOf(identity)),
    });
    this.#ask(request, to, (response) => {
      if (response && challenged < 2 && authentication.take(response)) {
        this.#register(to, expiresSeconds, startedMs, challenged + 1);
      } else this.#registerDone(response, expiresSeconds, startedMs);
    });
  }

  #registerDone(response: Response | undefined, expiresSeconds: number, startedMs: number): void {
    const { onNews } = this.#options;
    if (response && response.status < 300) {
      const isRefresh = this.#state.at !== null && this.#state.at === this.#state.asking;
      if (expiresSeconds === 0) onNews(this, { kind: 'unregistered' });
      else onNews(this, { kind: 'registered', tookMs: performance.now() - startedMs, isRefresh });
      this.put({ kind: 'registered', expiresSeconds: grantedSeconds(response) ?? expiresSeconds });
      return;
    }
    onNews(this, response ? { kind: 'refused', status: response.status } : { kind: 'unanswered' });
    this.put({ kind: 'not-registered' });
  }

  /** Calls `done` once: with the final response, or with none in time. */
  #ask(request: Buffer, to: Place, done: (response: Response | undefined) => void): void {
    const { userAgent, sites, limit, answerMsMax } = this.#options;
    let isOpen = true;
    const end = (response: Response | undefined): void => {
      if (!isOpen) return;
      isOpen = false;
      withdraw();
      done(response);
    };
    const withdraw = limit(() => end(undefined), answerMsMax);
    userAgent.send(request, sites[to], { onFinal: end, onSilence: () => end(undefined) });
  }
}

/** What the registrar granted: `expires` of the contact, else Expires (RFC 3261 section 10.2.4). */
function grantedSeconds(response: Response): number | undefined {
  const [contact] = response.addresses('contact') ?? [];
  return parseExpirySeconds(contact?.params.get('expires')) ?? parseExpirySeconds(response.value('expires'));
}
