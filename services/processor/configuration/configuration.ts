import { DualhomeError, messageOf } from '../../protocol/errors/index.ts';
import type { Sealer } from '../../platform/crypto/sealing.ts';
import { delay, isAbortOf } from '../../platform/lifecycle/abort.ts';
import { RunningState } from '../../platform/lifecycle/backoff.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import { listen } from '../../platform/postgres/listen.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';
import {
  readCommonConfiguration,
  readConfigurationHead,
  readEventBodies,
  readNumbers,
  readSubscribers,
  sharedDevicesMax,
} from '../store/configuration.ts';
import type { CommonConfiguration, ConfigurationHead } from '../store/configuration.ts';
import { AccessDevices } from '../register/device.ts';
import type { CallConfiguration } from '../calls/configuration.ts';
import { RouteTable } from '../calls/route-table.ts';
import { changesOf } from './changes.ts';
import { Domains } from './domains.ts';
import { LookedUp } from './looked-up.ts';
import { openSubscriber } from './subscriber.ts';
import type { Subscriber } from './subscriber.ts';
import { within } from './within.ts';

export type ConfigurationOptions = {
  /** The site whose configuration it is. */
  readonly owner: string;
  readonly database: Queryable;
  readonly url: string;
  readonly applicationName: string;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Logger;
};

const channel = 'dualhome_log';
/** Notifications are hints; this is what is relied on. */
const pollMs = 500;
/** Between two looks, however often the log moves. */
const restMs = 50;
const answerWithinMs = 2_000;
/** Beyond so many events it is cheaper to look everybody up again. */
const eventsMax = 1_000;
const subscribersMax = 50_000;
const numbersMax = 50_000;

/**
 * The configuration a processor answers from: domains and environment whole, subscribers as they are asked for.
 *
 * Invariant: an answer rests on the position or on a newer one. While the database is silent what is in memory holds.
 */
export class Configuration implements AsyncDisposable {
  readonly subscribers: LookedUp<Subscriber>;
  readonly #numbers: LookedUp<string>;
  readonly #options: ConfigurationOptions;
  readonly #running = new RunningState();
  #listening: AsyncDisposable | undefined;
  #watching: Promise<void> | undefined;
  #head: ConfigurationHead | undefined;
  #domains = new Domains([]);
  #environment: ReadonlyMap<string, string> = new Map();
  #sharedDevices = new AccessDevices([]);
  #forCalls: CallConfiguration;
  #silentSinceMs: number | undefined;
  #hint = Promise.withResolvers<void>();

  constructor(options: ConfigurationOptions) {
    this.#options = options;
    const { database, sealer } = options;
    this.subscribers = new LookedUp({
      keptMax: subscribersMax,
      read: async (aors) => {
        const { asOf, rows } = await this.#ask(() => readSubscribers(database, aors));
        const found = rows.map(({ devices, ...row }) => openSubscriber(row, devices ?? [], sealer));
        return { asOf, found: new Map(found.map((subscriber) => [subscriber.row.aor, subscriber])) };
      },
    });
    this.#numbers = new LookedUp({
      keptMax: numbersMax,
      read: async (numbers) => {
        const { asOf, rows } = await this.#ask(() => readNumbers(database, numbers));
        return { asOf, found: new Map(rows.map(({ number, aor }) => [number, aor])) };
      },
    });
    this.#forCalls = this.#callConfiguration([], []);
  }

  /** Begins to follow the log; `onChange` is told whenever position, proof or silence may be others. */
  start(onChange: () => void): void {
    const { url, applicationName } = this.#options;
    this.#listening = listen({
      url,
      applicationName,
      channels: [channel],
      restMs,
      onNotify: () => this.#hint.resolve(),
      onListening: () => this.#hint.resolve(),
    });
    this.#watching = this.#watch(onChange);
  }

  /** Undefined before the first read. */
  get head(): ConfigurationHead | undefined {
    return this.#head;
  }

  get domains(): Domains {
    return this.#domains;
  }

  get environment(): ReadonlyMap<string, string> {
    return this.#environment;
  }

  /** Access devices that belong to no single address of record. */
  get sharedDevices(): AccessDevices {
    return this.#sharedDevices;
  }

  /** What decisions about calls read. */
  get forCalls(): CallConfiguration {
    return this.#forCalls;
  }

  /** For how long the database has not answered. */
  get silentMs(): number {
    return this.#silentSinceMs === undefined
      ? 0
      : Math.max(1, this.#options.clock.monotonicMs() - this.#silentSinceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.stop();
    await this.#listening?.[Symbol.asyncDispose]();
    await this.#watching;
  }

  async #watch(onChange: () => void): Promise<void> {
    const { signal } = this.#running;
    while (this.#running.running) {
      this.#hint = Promise.withResolvers();
      await this.#look();
      onChange();
      await pause(restMs, signal);
      await Promise.race([this.#hint.promise, pause(pollMs, signal)]);
    }
  }

  async #look(): Promise<void> {
    const { log, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const take = await within(answerWithinMs, this.#read());
      take();
      if (this.#silentSinceMs !== undefined) log.info('the database answers');
      this.#silentSinceMs = undefined;
    } catch (error) {
      if (this.#silentSinceMs === undefined)
        log.warn({ reason: messageOf(error) }, 'the database does not answer');
      this.#silentSinceMs ??= startedMs;
    }
  }

  /** Returns what takes up the news, so that an answer that comes too late changes nothing. */
  async #read(): Promise<() => void> {
    const { database } = this.#options;
    const head = await readConfigurationHead(database);
    const known = this.#head;
    if (!known || !isContinuation(known, head)) return this.#begin(head);
    const count = head.seq - known.seq;
    const bodies = count === 0 ? [] : await readEventBodies(database, known.seq, count);
    const changes = changesOf(bodies);
    if (changes.everything || bodies.length < count) return this.#begin(head);
    const common = changes.common ? await readCommonConfiguration(database) : undefined;
    return () => {
      if (common) this.#hold(common);
      if (changes.many) this.#forgetLookedUp(head.seq);
      this.subscribers.advance(head.seq, changes.aors);
      this.#numbers.advance(head.seq, changes.numbers);
      this.#head = head;
    };
  }

  async #begin(head: ConfigurationHead): Promise<() => void> {
    const common = await readCommonConfiguration(this.#options.database);
    return () => {
      this.#hold(common);
      this.#forgetLookedUp(head.seq);
      this.#head = head;
    };
  }

  #forgetLookedUp(seq: number): void {
    this.subscribers.restart(seq);
    this.#numbers.restart(seq);
  }

  #hold({ domains, environment, routes, thirdParties, sharedDevices }: CommonConfiguration): void {
    this.#domains = new Domains(domains);
    this.#environment = new Map(Object.entries(environment));
    this.#sharedDevices = new AccessDevices(sharedDevices);
    if (sharedDevices.length === sharedDevicesMax)
      this.#options.log.warn(
        { sharedDevicesMax },
        'further devices without an address of record are not recognised',
      );
    this.#forCalls = this.#callConfiguration(routes, thirdParties);
  }

  #callConfiguration(
    routes: CommonConfiguration['routes'],
    thirdParties: CommonConfiguration['thirdParties'],
  ): CallConfiguration {
    return {
      owner: this.#options.owner,
      domainAt: (host) => this.#domains.find(host),
      routes: new RouteTable(routes),
      thirdParties,
      subscriber: async (aor) => (await this.subscribers.find(aor))?.row,
      number: (key) => this.#numbers.find(key),
    };
  }

  /** A database that is known to be silent is not asked, so that nobody waits for it. @throws POSTGRES_UNREACHABLE */
  async #ask<T>(read: () => Promise<T>): Promise<T> {
    if (this.#silentSinceMs !== undefined) throw new DualhomeError('POSTGRES_UNREACHABLE');
    return within(answerWithinMs, read());
  }
}

/** Whether events tell how to get from one to the other. */
function isContinuation(known: ConfigurationHead, head: ConfigurationHead): boolean {
  if (known.incarnation !== head.incarnation || known.snapshots !== head.snapshots) return false;
  return known.seq <= head.seq && head.seq - known.seq <= eventsMax;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, signal).catch((error: unknown) => {
    if (!isAbortOf(signal, error)) throw error;
  });
}
