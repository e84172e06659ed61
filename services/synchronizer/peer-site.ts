import type { PeerConfig } from '../protocol/program-config.ts';
import { LogName } from '../protocol/names.ts';
import type { HoldReport, Report, SendReport } from '../protocol/link/report.ts';
import { positionToJson } from '../protocol/link/position-json.ts';
import type { Position } from '../protocol/position.ts';
import type { Direction } from '../protocol/status.ts';
import { configurationLog } from '../log/definition.ts';
import type { Clock } from '../platform/lifecycle/clock.ts';
import type { Logger } from '../platform/logging/logger.ts';
import { openDatabase } from '../platform/postgres/database.ts';
import type { Database } from '../platform/postgres/database.ts';
import type { SharedAlarms } from './alarms/alarms.ts';
import { LogApplier } from './apply/log-applier.ts';
import { AckWitness } from './apply/witness.ts';
import type { Connection } from './link/connection.ts';
import type { HandlerTable } from './link/handler-table.ts';
import { SitePeerLink } from './link/peer-link.ts';
import type { Peer } from './ports.ts';
import type { ResumeAnswer } from './send/answer-resume.ts';
import type { HomeLog } from './send/home-log.ts';
import { LogSender } from './send/log-sender.ts';
import { directionOf, lacksEvents } from './status/direction.ts';
import { LastReport } from './status/last-report.ts';
import { readBacklog } from './store/home-log.ts';
import type { Backlog } from './store/home-log.ts';
import { readProof } from './store/standby.ts';

export type PeerSiteOptions = {
  readonly site: string;
  readonly config: PeerConfig;
  /** Where positions and reports are kept outside the databases. */
  readonly directory: string;
  readonly software: string;
  readonly home: Database;
  readonly homeLog: HomeLog;
  readonly alarms: SharedAlarms;
  readonly handlers: HandlerTable;
  readonly clock: Clock;
  readonly log: Logger;
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
};

const log = LogName.configuration;

/** All that belongs to one peer: the link, the lane that sends to it, the lane that applies what it sends. */
export class PeerSite implements Peer, AsyncDisposable {
  readonly config: PeerConfig;
  readonly link: SitePeerLink;
  readonly standby: Database | undefined;
  readonly apply: LogApplier | undefined;
  readonly send: LogSender | undefined;
  readonly #options: PeerSiteOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #last: LastReport;
  #needsResync: boolean | undefined;
  #backlog: Backlog = { bytes: 0, oldestAt: null };

  constructor(options: PeerSiteOptions) {
    const { config, clock, log: logger, directory } = options;
    const warn = (error: unknown): void => logger.warn({ err: error, peer: config.name }, 'trouble');
    this.#options = options;
    this.config = config;
    this.#last = this.#stack.use(new LastReport(directory, config.name, clock, warn));
    this.link = this.#createLink();
    this.send = config.sends ? this.#stack.use(this.#createSender()) : undefined;
    const witness = this.#stack.use(new AckWitness(directory, config.name, log, warn));
    if (config.receives && config.standby !== undefined) {
      const [url, applicationName] = [config.standby, 'dualhome synchronizer'];
      this.standby = this.#stack.use(openDatabase({ url, applicationName, onError: warn }));
      this.apply = this.#stack.use(this.#createApplier(this.standby, url, witness));
    }
    this.#stack.use(this.link.onChange(() => this.#onLinkChange()));
    this.#stack.defer(() => this.link.stop());
  }

  /** Begins to apply and to dial. */
  async start(): Promise<void> {
    await this.#last.read();
    this.link.route({
      apply: new Map(this.apply && [[log, this.apply]]),
      send: new Map(this.send && [[log, this.send]]),
    });
    this.apply?.start();
    this.link.start();
  }

  get applied(): number | undefined {
    return this.send?.applied ?? this.#last.holdsOf(log)?.report.applied?.seq;
  }

  /** Reads what status shows and no event brings; a database that does not answer leaves it as it was. */
  async refresh(): Promise<void> {
    await Promise.allSettled([this.#refreshBacklog(), this.#refreshProof(), this.#refreshNeed()]);
  }

  directions(): readonly Direction[] {
    const { site, config } = this.#options;
    const linkUp = this.link.facts.phase === 'up';
    const receives = this.#holdReport();
    const sends = this.#sendReport();
    return [
      ...(sends
        ? [
            directionOf({
              log,
              from: site,
              to: config.name,
              home: { report: sends, ageMs: 0 },
              standby: this.#last.holdsOf(log),
              remote: 'standby',
              linkUp,
            }),
          ]
        : []),
      ...(receives
        ? [
            directionOf({
              log,
              from: config.name,
              to: site,
              home: this.#last.sendsOf(log),
              standby: { report: receives, ageMs: 0 },
              remote: 'home',
              linkUp,
            }),
          ]
        : []),
    ];
  }

  /** Ends the link, then the lanes, then their databases. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #createLink(): SitePeerLink {
    const { site, config, software, clock, handlers, dial } = this.#options;
    return new SitePeerLink({
      site,
      peer: config.name,
      dials: config.dials,
      software,
      clock,
      log: this.#options.log,
      handlers,
      dial,
      report: () => this.#report(),
      onReport: (report) => this.#onReport(report),
    });
  }

  #createSender(): LogSender {
    const { config, home, homeLog } = this.#options;
    return new LogSender({
      peer: config.name,
      log,
      home,
      homeLog,
      logger: this.#options.log,
      onAnswer: (answer, held) => this.#onAnswer(answer, held),
    });
  }

  #createApplier(standby: Database, standbyUrl: string, witness: AckWitness): LogApplier {
    const { config, alarms, clock } = this.#options;
    return new LogApplier({
      peer: config.name,
      definition: configurationLog,
      standby,
      standbyUrl,
      witness,
      alarms,
      clock,
      logger: this.#options.log,
      whenSession: (signal) => this.link.whenSession(signal),
      onChange: () => this.link.beat(),
    });
  }

  #report(): Report {
    const [sends, holds] = [this.#sendReport(), this.#holdReport()];
    return { sends: sends ? [sends] : [], holds: holds ? [holds] : [] };
  }

  #sendReport(): SendReport | undefined {
    if (!this.send) return undefined;
    const { homeLog, clock } = this.#options;
    const { head, firstSeq } = homeLog.state ?? {};
    const { bytes, oldestAt } = this.#backlog;
    return {
      log,
      head: head ? positionToJson(head) : null,
      firstSeq: firstSeq ?? null,
      sent: this.send.sent ?? null,
      confirmed: this.send.applied ?? null,
      bytesUnsent: bytes,
      oldestUnappliedMs: oldestAt && Math.max(0, clock.nowMs() - oldestAt.getTime()),
    };
  }

  #holdReport(): HoldReport | undefined {
    const report = this.apply?.status.report();
    const { phase, version } = this.link.facts;
    if (!report || phase !== 'up' || version !== undefined) return report;
    return { ...report, state: 'parked', code: 'LINK_PROTOCOL_UNSUPPORTED', detail: '' };
  }

  #onReport(report: Report): void {
    this.#last.hear(report);
    const head = report.sends.find((sends) => sends.log === log)?.head;
    if (head) this.apply?.onPeerHead(head);
  }

  #onLinkChange(): void {
    const { phase, version } = this.link.facts;
    const { alarms, config } = this.#options;
    if (this.link.up) this.apply?.onUp();
    if (phase !== 'up') return;
    void (version === undefined
      ? alarms.raise('LINK_PROTOCOL_UNSUPPORTED', config.name, '')
      : alarms.clear('LINK_PROTOCOL_UNSUPPORTED', config.name));
  }

  /** A standby that is ahead of this log, or beside it, is a reason to stop appending until an operator has decided. */
  async #onAnswer({ outcome, detail }: ResumeAnswer, { incarnation, seq }: Position): Promise<void> {
    const { alarms, config } = this.#options;
    const facts = { peer: config.name, incarnation, seq };
    if (outcome === 'restored') return alarms.raiseUnlessSettled('LOG_RESTORED', log, detail, facts);
    if (outcome === 'forked') return alarms.raiseUnlessSettled('LOG_FORKED', log, detail, facts);
    await alarms.clear('LOG_RESTORED', log, { peer: config.name });
    return alarms.clear('LOG_FORKED', log, { peer: config.name });
  }

  async #refreshBacklog(): Promise<void> {
    const { home, homeLog } = this.#options;
    const head = homeLog.state?.head;
    if (!this.send || !head) return;
    const applied = this.applied ?? 0;
    const behind = head.seq > applied;
    this.#backlog = behind
      ? await readBacklog(home, this.send.sent ?? applied, applied)
      : { bytes: 0, oldestAt: null };
  }

  /** A peer that lacks events which are gone is a reason to alarm, unless it never had a copy. */
  async #refreshNeed(): Promise<void> {
    const { homeLog, alarms, config } = this.#options;
    const { applied = 0 } = this;
    const firstSeq = homeLog.state?.firstSeq;
    if (!this.send || typeof firstSeq !== 'number') return;
    const needs = applied > 0 && lacksEvents(firstSeq, applied);
    if (needs === this.#needsResync) return;
    this.#needsResync = needs;
    const subject = `${config.name}/copy`;
    const detail = `It has applied ${applied}; the log begins at ${firstSeq}.`;
    if (needs) await alarms.raise('LOG_PEER_NEEDS_RESYNC', subject, detail, { applied, firstSeq });
    else await alarms.clear('LOG_PEER_NEEDS_RESYNC', subject);
  }

  async #refreshProof(): Promise<void> {
    if (this.apply && this.standby) this.apply.status.proof = await readProof(this.standby);
  }
}
