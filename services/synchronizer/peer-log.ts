import type { HoldReport, Report, SendReport } from '../protocol/link/report.ts';
import { positionToJson } from '../protocol/link/position-json.ts';
import type { Position } from '../protocol/position.ts';
import type { Direction } from '../protocol/status.ts';
import type { LogDefinition } from '../log/definition.ts';
import type { Clock } from '../platform/lifecycle/clock.ts';
import type { Logger } from '../platform/logging/logger.ts';
import type { SharedAlarms } from './alarms/alarms.ts';
import { LogApplier } from './apply/log-applier.ts';
import { AckWitness } from './apply/witness.ts';
import { copySubject, openCopy } from './copy.ts';
import type { CopyOptions, OpenCopy } from './copy.ts';
import type { SitePeerLink } from './link/peer-link.ts';
import type { PeerLog } from './ports.ts';
import type { ResumeAnswer } from './send/answer-resume.ts';
import { LogSender } from './send/log-sender.ts';
import type { OwnLog } from './send/own-log.ts';
import { directionOf, lacksEvents } from './status/direction.ts';
import type { LastReport } from './status/last-report.ts';
import { readProof } from './store/copy.ts';
import { readBacklog } from './store/own-log.ts';
import type { Backlog } from './store/own-log.ts';

export type PeerLogOptions = {
  readonly site: string;
  readonly peer: string;
  /** The log here that goes to the peer; absent where it does not (`sends: false`). */
  readonly own: OwnLog | undefined;
  readonly definition: LogDefinition;
  /** Where the copy of the peer's is kept; absent where none is (`receives: false`). */
  readonly copy: CopyOptions | undefined;
  readonly link: SitePeerLink;
  readonly last: LastReport;
  /** Where positions are kept outside the databases. */
  readonly directory: string;
  readonly alarms: SharedAlarms;
  readonly clock: Clock;
  readonly log: Logger;
  readonly warn: (error: unknown) => void;
};

/**
 * One log in both directions: the lane that sends this site's to the peer, and the lane that applies the peer's to the
 * copy here. Those of another log share the link with it, and nothing else.
 */
export class PeerLogLanes implements PeerLog, AsyncDisposable {
  readonly definition: LogDefinition;
  readonly copy: OpenCopy | undefined;
  readonly apply: LogApplier | undefined;
  readonly send: LogSender | undefined;
  readonly #options: PeerLogOptions;
  readonly #stack = new AsyncDisposableStack();
  #needsResync: boolean | undefined;
  #backlog: Backlog = { bytes: 0, oldestAt: null };

  constructor(options: PeerLogOptions) {
    const { own, copy, warn } = options;
    this.#options = options;
    this.definition = options.definition;
    this.send = own && this.#stack.use(this.#createSender(own));
    this.copy = copy && this.#stack.use(openCopy(copy, warn));
    this.apply = this.copy && this.#stack.use(this.#createApplier(this.copy));
  }

  get applied(): number | undefined {
    return this.send?.applied ?? this.#options.last.holdsOf(this.definition.name)?.report.applied?.seq;
  }

  /** Reads what status shows and no event brings; a database that does not answer leaves it as it was. */
  async refresh(): Promise<void> {
    await Promise.allSettled([this.#refreshBacklog(), this.#refreshProof(), this.#refreshNeed()]);
  }

  directions(): readonly Direction[] {
    const { site, peer, link, last } = this.#options;
    const { name: log } = this.definition;
    const linkUp = link.facts.phase === 'up';
    const sends = this.sendReport();
    const holds = this.holdReport();
    const sending = sends && {
      from: site,
      to: peer,
      home: { report: sends, ageMs: 0 },
      standby: last.holdsOf(log),
      remote: 'standby' as const,
    };
    const holding = holds && {
      from: peer,
      to: site,
      home: last.sendsOf(log),
      standby: { report: holds, ageMs: 0 },
      remote: 'home' as const,
    };
    return [sending, holding].flatMap((facts) => (facts ? [directionOf({ ...facts, log, linkUp })] : []));
  }

  sendReport(): SendReport | undefined {
    const { own, clock } = this.#options;
    if (!this.send || !own) return undefined;
    const { head, firstSeq } = own.state ?? {};
    const { bytes, oldestAt } = this.#backlog;
    return {
      log: this.definition.name,
      head: head ? positionToJson(head) : null,
      firstSeq: firstSeq ?? null,
      sent: this.send.sent ?? null,
      confirmed: this.send.applied ?? null,
      bytesUnsent: bytes,
      oldestUnappliedMs: oldestAt && Math.max(0, clock.nowMs() - oldestAt.getTime()),
    };
  }

  holdReport(): HoldReport | undefined {
    const report = this.apply?.status.report();
    const { phase, version } = this.#options.link.facts;
    if (!report || phase !== 'up' || version !== undefined) return report;
    return { ...report, state: 'parked', code: 'LINK_PROTOCOL_UNSUPPORTED', detail: '' };
  }

  /** What the peer says of itself. */
  onReport({ sends }: Report): void {
    const head = sends.find(({ log }) => log === this.definition.name)?.head;
    if (head) this.apply?.onPeerHead(head);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #createSender(own: OwnLog): LogSender {
    const { peer, log: logger } = this.#options;
    return new LogSender({ peer, own, logger, onAnswer: (answer, held) => this.#onAnswer(answer, held) });
  }

  #createApplier(copy: OpenCopy): LogApplier {
    const { peer, alarms, clock, link, directory, log: logger, warn } = this.#options;
    const { definition } = this;
    const witness = this.#stack.use(new AckWitness(directory, peer, definition.name, warn));
    return new LogApplier({
      peer,
      definition,
      copy,
      witness,
      alarms,
      clock,
      logger,
      whenSession: (signal) => link.whenSession(signal),
      onChange: () => link.beat(),
    });
  }

  /** A copy that is ahead of this log, or beside it, is a reason to stop appending until an operator has decided. */
  async #onAnswer({ outcome, detail }: ResumeAnswer, { incarnation, seq }: Position): Promise<void> {
    const { alarms, peer } = this.#options;
    const { name: subject } = this.definition;
    const facts = { peer, incarnation, seq };
    if (outcome === 'restored') return alarms.raiseUnlessSettled('LOG_RESTORED', subject, detail, facts);
    if (outcome === 'forked') return alarms.raiseUnlessSettled('LOG_FORKED', subject, detail, facts);
    await alarms.clear('LOG_RESTORED', subject, { peer });
    return alarms.clear('LOG_FORKED', subject, { peer });
  }

  async #refreshBacklog(): Promise<void> {
    const { own } = this.#options;
    const head = own?.state?.head;
    if (!this.send || !own || !head) return;
    const applied = this.applied ?? 0;
    const behind = head.seq > applied;
    this.#backlog = behind
      ? await readBacklog(own.database, this.send.sent ?? applied, applied)
      : { bytes: 0, oldestAt: null };
  }

  /** A peer that lacks events which are gone is a reason to alarm, unless it never had a copy. */
  async #refreshNeed(): Promise<void> {
    const { own, alarms, peer } = this.#options;
    const { applied = 0 } = this;
    const firstSeq = own?.state?.firstSeq;
    if (!this.send || typeof firstSeq !== 'number') return;
    const needs = applied > 0 && lacksEvents(firstSeq, applied);
    if (needs === this.#needsResync) return;
    this.#needsResync = needs;
    const subject = copySubject(peer, this.definition);
    const detail = `It has applied ${applied}; the log begins at ${firstSeq}.`;
    if (needs) await alarms.raise('LOG_PEER_NEEDS_RESYNC', subject, detail, { applied, firstSeq });
    else await alarms.clear('LOG_PEER_NEEDS_RESYNC', subject);
  }

  async #refreshProof(): Promise<void> {
    if (this.apply && this.copy) this.apply.status.proof = await readProof(this.copy.database);
  }
}
