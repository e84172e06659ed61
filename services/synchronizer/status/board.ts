import type { SynchronizerConfig } from '../../protocol/program-config.ts';
import type { Status } from '../../protocol/status.ts';
import { delay, isAbortOf } from '../../platform/lifecycle/abort.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Registry } from '../../platform/metrics/registry.ts';
import type { Database } from '../../platform/postgres/database.ts';
import type { PeerSite } from '../peer-site.ts';
import type { OwnLog } from '../send/own-log.ts';
import { readOpenAlarms } from '../store/alarms.ts';
import type { OpenAlarm } from '../store/alarms.ts';
import { observeStatus } from './metrics.ts';
import { statusOf } from './status.ts';

export type StatusBoardOptions = {
  readonly config: SynchronizerConfig;
  readonly software: string;
  readonly shared: Database;
  readonly logs: readonly OwnLog[];
  readonly peers: readonly PeerSite[];
  readonly clock: Clock;
  readonly registry: Registry;
};

const refreshMs = 1_000;

/** Keeps what status shows up to date, and shows it. Asking it costs no database anything. */
export class StatusBoard implements AsyncDisposable {
  readonly #options: StatusBoardOptions;
  readonly #stopping = new AbortController();
  #refreshing: Promise<unknown> | undefined;
  #alarms: readonly OpenAlarm[] | null = null;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
    observeStatus(options.registry, () => this.current());
  }

  start(): void {
    const lanes = this.#options.peers.flatMap(({ logs }) => [...logs.values()]);
    const sources = [...lanes.map((each) => () => each.refresh()), () => this.#refreshAlarms()];
    this.#refreshing = Promise.all(sources.map((refresh) => this.#keep(refresh)));
  }

  current(): Status {
    const { config, software, peers, clock } = this.#options;
    return statusOf({
      site: config.site,
      software,
      nowMs: clock.nowMs(),
      peers: peers.map((peer) => ({
        name: peer.config.name,
        link: peer.link.facts,
        directions: peer.directions(),
      })),
      alarms: this.#alarms,
      plainFtp: (config.ftp.server ?? config.ftp).security === 'plain',
    });
  }

  /** What /health says: that it works, not that all is well; for that there is the status. */
  health(): { readonly healthy: boolean; readonly [fact: string]: unknown } {
    const { logs, peers } = this.#options;
    const links = Object.fromEntries(peers.map(({ config, link }) => [config.name, link.facts.phase]));
    const readable = Object.fromEntries(
      logs.map(({ definition, state }) => [definition.name, state !== undefined]),
    );
    return { healthy: true, logs: readable, links };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#refreshing;
  }

  /** Each by itself, so that a database that does not answer keeps nothing of another from being shown. */
  async #keep(refresh: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await refresh();
      await delay(refreshMs, signal).catch((error: unknown) => {
        if (!isAbortOf(signal, error)) throw error;
      });
    }
  }

  async #refreshAlarms(): Promise<void> {
    this.#alarms = await readOpenAlarms(this.#options.shared).catch(() => null);
  }
}
