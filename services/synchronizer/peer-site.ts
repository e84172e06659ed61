import type { PeerConfig } from '../protocol/program-config.ts';
import { peerSchema } from '../protocol/names.ts';
import type { LogName } from '../protocol/names.ts';
import type { Report } from '../protocol/link/report.ts';
import type { Direction } from '../protocol/status.ts';
import { configurationLog, registrationLog } from '../log/definition.ts';
import type { LogDefinition } from '../log/definition.ts';
import type { Clock } from '../platform/lifecycle/clock.ts';
import type { Logger } from '../platform/logging/logger.ts';
import type { SharedAlarms } from './alarms/alarms.ts';
import type { CopyOptions } from './copy.ts';
import type { Connection } from './link/connection.ts';
import type { HandlerTable } from './link/handler-table.ts';
import { SitePeerLink } from './link/peer-link.ts';
import { PeerLogLanes } from './peer-log.ts';
import type { Peer } from './ports.ts';
import type { OwnLog } from './send/own-log.ts';
import { LastReport } from './status/last-report.ts';

export type PeerSiteOptions = {
  readonly site: string;
  readonly config: PeerConfig;
  /** URL of the database that holds the peers' registrations. */
  readonly sharedUrl: string;
  /** Where positions and reports are kept outside the databases. */
  readonly directory: string;
  readonly software: string;
  readonly logs: ReadonlyMap<LogName, OwnLog>;
  readonly alarms: SharedAlarms;
  readonly handlers: HandlerTable;
  readonly clock: Clock;
  readonly log: Logger;
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
};

/**
 * All that belongs to one peer: the link, and the lanes of both logs. Configuration goes the ways that are configured;
 * registrations always go both ways, since a device of either site may be at the other.
 */
export class PeerSite implements Peer, AsyncDisposable {
  readonly config: PeerConfig;
  readonly link: SitePeerLink;
  readonly logs: ReadonlyMap<LogName, PeerLogLanes>;
  readonly #options: PeerSiteOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #last: LastReport;
  readonly #warn: (error: unknown) => void;

  constructor(options: PeerSiteOptions) {
    const { config, clock, log, directory, sharedUrl } = options;
    this.#options = options;
    this.config = config;
    this.#warn = (error) => log.warn({ err: error, peer: config.name }, 'trouble');
    this.#last = this.#stack.use(new LastReport(directory, config.name, clock, this.#warn));
    this.link = this.#createLink();
    const { sends, receives, standby, name } = config;
    const standbyCopy = receives && standby !== undefined ? { url: standby } : undefined;
    const lanes = [
      this.#createLanes(configurationLog, sends, standbyCopy),
      this.#createLanes(registrationLog, true, { url: sharedUrl, schema: peerSchema(name) }),
    ];
    this.logs = new Map(lanes.map((each) => [each.definition.name, each]));
    this.#stack.use(this.link.onChange(() => this.#onLinkChange()));
    this.#stack.defer(() => this.link.stop());
  }

  /** Begins to apply and to dial. */
  async start(): Promise<void> {
    await this.#last.read();
    const lanes = [...this.logs];
    this.link.route({
      apply: new Map(lanes.flatMap(([log, { apply }]) => (apply ? [[log, apply]] : []))),
      send: new Map(lanes.flatMap(([log, { send }]) => (send ? [[log, send]] : []))),
    });
    for (const [, { apply }] of lanes) apply?.start();
    this.link.start();
  }

  directions(): readonly Direction[] {
    return [...this.logs.values()].flatMap((lanes) => lanes.directions());
  }

  /** Ends the link, then the lanes, then their databases. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #createLink(): SitePeerLink {
    const { site, config, software, clock, handlers, log, dial } = this.#options;
    return new SitePeerLink({
      site,
      peer: config.name,
      dials: config.dials,
      software,
      clock,
      log,
      handlers,
      dial,
      report: () => this.#report(),
      onReport: (report) => this.#onReport(report),
    });
  }

  #createLanes(definition: LogDefinition, sends: boolean, copy: CopyOptions | undefined): PeerLogLanes {
    const { site, config, logs, directory, alarms, clock, log } = this.#options;
    return this.#stack.use(
      new PeerLogLanes({
        site,
        peer: config.name,
        own: sends ? logs.get(definition.name) : undefined,
        definition,
        copy,
        link: this.link,
        last: this.#last,
        directory,
        alarms,
        clock,
        log,
        warn: this.#warn,
      }),
    );
  }

  #report(): Report {
    const lanes = [...this.logs.values()];
    return {
      sends: lanes.flatMap((each) => each.sendReport() ?? []),
      holds: lanes.flatMap((each) => each.holdReport() ?? []),
    };
  }

  #onReport(report: Report): void {
    this.#last.hear(report);
    for (const lanes of this.logs.values()) lanes.onReport(report);
  }

  #onLinkChange(): void {
    const { phase, version } = this.link.facts;
    const { alarms, config } = this.#options;
    if (this.link.up) for (const { apply } of this.logs.values()) apply?.onUp();
    if (phase !== 'up') return;
    void (version === undefined
      ? alarms.raise('LINK_PROTOCOL_UNSUPPORTED', config.name, '')
      : alarms.clear('LINK_PROTOCOL_UNSUPPORTED', config.name));
  }
}
