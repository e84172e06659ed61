import { delay, isAbortOf } from '../platform/lifecycle/abort.ts';
import type { Logger } from '../platform/logging/logger.ts';
import { listen } from '../platform/postgres/listen.ts';
import type { Queryable } from '../platform/postgres/statement.ts';
import { messageOf } from '../protocol/errors/index.ts';
import { readCopy, readSiteConfiguration, writeCopy } from './store/site-configuration.ts';
import type { SiteConfiguration } from './store/site-configuration.ts';

export type SiteConfigurationOptions = {
  readonly home: Queryable;
  readonly homeUrl: string;
  readonly shared: Queryable;
  readonly applicationName: string;
  readonly log: Logger;
  /** It is another than before. */
  readonly onChange: () => void;
};

/** Notifications are hints; this is what is relied on. */
const pollMs = 1_000;
/** Between two looks, however often the log of `home` moves. */
const restMs = 100;

/**
 * Environment parameters and dispatch rules of this site.
 *
 * Invariant: it is what `home` says or said last, a restart included: what was read is kept in `shared`, and holds while
 * `home` is away.
 */
export class SiteConfigurationWatch implements AsyncDisposable {
  readonly #options: SiteConfigurationOptions;
  readonly #stopping = new AbortController();
  #current: SiteConfiguration = { seq: 0, environment: {}, rules: [] };
  #hint = Promise.withResolvers<void>();
  #listening: AsyncDisposable | undefined;
  #watching: Promise<void> | undefined;
  #reported = false;
  /** What the copy holds. */
  #kept = '';

  constructor(options: SiteConfigurationOptions) {
    this.#options = options;
  }

  get current(): SiteConfiguration {
    return this.#current;
  }

  /** Takes the last copy, then whatever `home` says from now on. @throws POSTGRES_* while `shared` is away */
  async start(): Promise<void> {
    const { homeUrl: url, applicationName, shared } = this.#options;
    const copy = await readCopy(shared);
    if (copy) {
      this.#current = copy;
      this.#kept = contentOf(copy);
    }
    const onNotify = (): void => this.#hint.resolve();
    this.#listening = listen({
      url,
      applicationName,
      channels: ['dualhome_log'],
      restMs,
      onNotify,
      onListening: onNotify,
    });
    this.#watching = this.#watch();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#hint.resolve();
    await this.#listening?.[Symbol.asyncDispose]();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#hint = Promise.withResolvers<void>();
      await this.#look();
      await pause(restMs, signal);
      await Promise.race([this.#hint.promise, pause(pollMs, signal)]);
    }
  }

  async #look(): Promise<void> {
    const { home, shared, log, onChange } = this.#options;
    try {
      const read = await readSiteConfiguration(home);
      const [was, is] = [contentOf(this.#current), contentOf(read)];
      this.#current = read;
      this.#reported = false;
      if (was !== is) onChange();
      if (this.#kept === is) return;
      await writeCopy(shared, read);
      this.#kept = is;
    } catch (error) {
      if (!this.#reported)
        log.warn({ reason: messageOf(error) }, 'the last known configuration of the site is used');
      this.#reported = true;
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, signal).catch((error: unknown) => {
    if (!isAbortOf(signal, error)) throw error;
  });
}

const contentOf = ({ environment, rules }: SiteConfiguration): string =>
  JSON.stringify({ environment, rules });
