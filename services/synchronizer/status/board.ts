import type { SynchronizerConfig } from '../../protocol/program-config.ts';
import type { Status } from '../../protocol/status.ts';
import { delay, isAbortOf } from '../../platform/lifecycle/abort.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Registry } from '../../platform/metrics/registry.ts';
import type { Database } from '../../platform/postgres/database.ts';
import type { PeerSite } from '../peer-site.ts';
import type { HomeLog } from '../send/home-log.ts';
import { readOpenAlarms } from '../store/alarms.ts';
import type { OpenAlarm } from '../store/alarms.ts';
import { observeStatus } from './metrics.ts';
import { statusOf } from './status.ts';

export type StatusBoardOptions = {
  readonly config: SynchronizerConfig;
  readonly software: string;
  readonly shared: Database;
  readonly homeLog: HomeLog;
  readonly peers: readonly PeerSite[];
  readonly clock: Clock;
  readonly registry: Registry;
};

const refreshMs = 1_000;

/** Keeps what status shows up to date, and shows it. Asking it costs no database anything. */
export class StatusBoard implements AsyncDisposable {
  readonly #options: StatusBoardOptions;
  readonly #stopping = new AbortController();
  #refreshing: Promise<void> | undefined;
  #alarms: readonly OpenAlarm[] | null = null;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
    observeStatus(options.registry, () => this.current());
  }

  start(): void {
    this.#refreshing = this.#refresh();
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
    const { homeLog, peers } = this.#options;
    const links = Object.fromEntries(peers.map(({ config, link }) => [config.name, link.facts.phase]));
    return { healthy: true, home: homeLog.state !== undefined, links };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await Promise.all([...this.#options.peers.map((peer) => peer.refresh()), this.#refreshAlarms()]);
      await delay(refreshMs, signal).catch((error: unknown) => {
        if (!isAbortOf(signal, error)) throw error;
      });
    }
  }

  async #refreshAlarms(): Promise<void> {
    this.#alarms = await readOpenAlarms(this.#options.shared).catch(() => null);
  }
}
