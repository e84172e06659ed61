import { hash } from 'node:crypto';
import type { Endpoint } from '../sip/transport/received.ts';
import { unlessAborted } from '../platform/lifecycle/abort.ts';
import { buildResponse } from '../sip/message/response.ts';
import { TimerWheel, Wakeup } from '../sip/transaction/timer-wheel.ts';
import { Device } from './device/device.ts';
import type { Behaviour, DeviceTimer, Place } from './device/state.ts';
import { NewsCounter } from './tally.ts';
import type { Tally } from './tally.ts';
import { UserAgent } from './user-agent/user-agent.ts';

export type Account = { readonly user: string; readonly domain: string; readonly password: string };

export type PopulationOptions = {
  readonly accounts: readonly Account[];
  readonly sites: Readonly<Record<Place, Endpoint>>;
  readonly behaviour: Behaviour;
  /** Devices that are switched on in a second. */
  readonly startsPerSecond: number;
  readonly answerMsMax: number;
  /** Local address they send from. */
  readonly address: string;
};

export const defaultBehaviour: Behaviour = {
  probeIntervalMs: 5_000,
  missedMax: 2,
  expiresSeconds: 600,
  retryMs: 2_000,
  retryMsMax: 60_000,
  returns: false,
};

const tickMs = 10;

/** Devices that share a socket. */
const devicesPerSocket = 2_000;

/** Many simulated devices, switched on at a rate, until disposed of; then they are silent, as if the power failed. */
export class Population implements AsyncDisposable {
  readonly #options: PopulationOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #wheel = new TimerWheel<Wakeup>(tickMs);
  readonly #timers = new Map<Device, Map<DeviceTimer, Wakeup>>();
  readonly #counter = new NewsCounter();
  readonly #devices: Device[] = [];
  #started = 0;
  #isNews = false;
  readonly #watchers = new Set<() => void>();

  private constructor(options: PopulationOptions) {
    this.#options = options;
  }

  static async start(options: PopulationOptions): Promise<Population> {
    const population = new Population(options);
    await population.#open();
    return population;
  }

  /** How things stand. */
  tally(): Tally {
    const at = (place: Place): number => this.#devices.filter(({ servedAt }) => servedAt === place).length;
    const [atPrimary, atBackup] = [at('primary'), at('backup')];
    const devices = this.#devices.length;
    return this.#counter.tally({ devices, atPrimary, atBackup, nowhere: devices - atPrimary - atBackup });
  }

  /** Resolves when `isSo` of the tally, looked at a tick after something changed. @throws the reason of `signal` */
  async until(isSo: (tally: Tally) => boolean, signal: AbortSignal): Promise<Tally> {
    for (;;) {
      signal.throwIfAborted();
      const tally = this.tally();
      if (isSo(tally)) return tally;
      const changed = Promise.withResolvers<void>();
      this.#watchers.add(changed.resolve);
      try {
        await unlessAborted(changed.promise, signal);
      } finally {
        this.#watchers.delete(changed.resolve);
      }
    }
  }

  /** Tells every device that is not there to register at a place; resolves when each has come to an end with it. */
  async go(to: Place, signal: AbortSignal): Promise<Tally> {
    for (const device of this.#devices) if (device.servedAt !== to) device.put({ kind: 'go', to });
    return this.until(() => this.#devices.every(({ state }) => state.asking === null), signal);
  }

  /** Ends every registration; resolves when none is left or the signal aborts. */
  async unregister(signal: AbortSignal): Promise<void> {
    for (const device of this.#devices) device.put({ kind: 'stop' });
    await this.until(() => this.#devices.every(({ state }) => state.asking === null), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #open(): Promise<void> {
    const { accounts, address } = this.#options;
    await using opening = new AsyncDisposableStack();
    for (let from = 0; from < accounts.length; from += devicesPerSocket) {
      const userAgent = opening.use(
        await UserAgent.open({
          address,
          onRequest: (request, transaction) => {
            const status = request.method === 'OPTIONS' ? 200 : 501;
            userAgent.respond(transaction, status, buildResponse(request, status, { toTag: 'simulated' }));
          },
        }),
      );
      for (const account of accounts.slice(from, from + devicesPerSocket)) {
        this.#devices.push(this.#createDevice(account, userAgent));
      }
    }
    const ticking = setInterval(() => this.#tick(), tickMs);
    opening.defer(() => clearInterval(ticking));
    this.#stack.use(opening.move());
    this.#startNext(performance.now());
  }

  #createDevice({ user, domain, password }: Account, userAgent: UserAgent): Device {
    const { sites, behaviour, answerMsMax } = this.#options;
    return new Device({
      identity: { user, domain, instance: instanceOf(user, domain) },
      password,
      sites,
      behaviour,
      answerMsMax,
      userAgent,
      setTimer: (device, timer, ms) => this.#setTimer(device, timer, ms),
      clearTimers: (device) => this.#clearTimers(device),
      limit: (late, ms) => this.#limit(late, ms),
      onNews: (_, news) => {
        this.#counter.count(news);
        this.#isNews = true;
      },
    });
  }

  /** Switches on as many as are due since `sinceMs`, then waits for the next tick. */
  #startNext(sinceMs: number): void {
    const due = Math.floor(((performance.now() - sinceMs) / 1_000) * this.#options.startsPerSecond) + 1;
    while (this.#started < Math.min(due, this.#devices.length)) {
      this.#devices[this.#started]?.put({ kind: 'start' });
      this.#started += 1;
    }
    if (this.#started < this.#devices.length) this.#limit(() => this.#startNext(sinceMs), tickMs);
  }

  #setTimer(device: Device, timer: DeviceTimer, ms: number): void {
    const timers = this.#timers.get(device) ?? new Map<DeviceTimer, Wakeup>();
    this.#timers.set(device, timers);
    const wakeup = timers.get(timer) ?? new Wakeup(() => device.put({ kind: 'timer', timer }));
    timers.set(timer, wakeup);
    this.#wheel.set(wakeup, performance.now() + ms);
  }

  #clearTimers(device: Device): void {
    this.#timers.get(device)?.forEach((wakeup) => this.#wheel.clear(wakeup));
  }

  #limit(late: () => void, ms: number): () => void {
    const wakeup = new Wakeup(late);
    this.#wheel.set(wakeup, performance.now() + ms);
    return () => this.#wheel.clear(wakeup);
  }

  #tick(): void {
    for (const { wake } of this.#wheel.advance(performance.now())) wake();
    if (!this.#isNews) return;
    this.#isNews = false;
    for (const wake of this.#watchers) wake();
  }
}

/** The same each time for one account (RFC 4122 form, from a hash). */
function instanceOf(user: string, domain: string): string {
  const hex = hash('sha256', `${user}@${domain}`, 'hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return `urn:uuid:${parts.join('-')}-${hex.slice(20, 32)}`;
}
