import type { X509Certificate } from 'node:crypto';
import type { z } from 'zod';
import type { ErrorCode } from '../protocol/errors/index.ts';
import type { LogName } from '../protocol/names.ts';
import type { Position } from '../protocol/position.ts';
import type { PeerConfig, SynchronizerConfig } from '../protocol/program-config.ts';
import type { Clock } from '../platform/lifecycle/clock.ts';
import type { Logger } from '../platform/logging/logger.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { Database } from '../platform/postgres/database.ts';
import type { CertificateStore } from '../platform/tls/certificate-store.ts';
import type { LogDefinition } from '../log/definition.ts';
import type { OpenCopy } from './copy.ts';
import type { Reservations } from './retention/reservations.ts';

/**
 * What the parts of the synchronizer know of each other. Transfers and jobs are built on these
 * ports; link, lanes and status implement them.
 */

export type RequestOptions = {
  /** The caller's wish to stop waiting; the peer's handler is not told. */
  readonly signal?: AbortSignal | undefined;
  /** Default 10 s. */
  readonly timeoutMs?: number | undefined;
};

/** The connection to one peer, for as long as the program runs; it is up or down. */
export interface PeerLink {
  readonly peer: string;
  readonly up: boolean;
  /**
   * Asks the peer's handler of `method`. It is sent once: whether the peer acted on it is unknown
   * after LINK_DOWN and LINK_REQUEST_TIMEOUT, so handlers are made to be asked again.
   *
   * @throws LINK_DOWN at once while the link is down, and when it goes down before the answer;
   * LINK_REQUEST_TIMEOUT; LINK_REQUEST_INVALID where the answer is not a `result`; and the peer's
   * own registered error, under its code, with the fact `peer`
   */
  request<T>(method: string, params: unknown, result: z.ZodType<T>, options?: RequestOptions): Promise<T>;
  /** Resolves at once while it is up; rejects with the reason of `signal`. */
  whenUp(signal: AbortSignal): Promise<void>;
  /** Told of each change until disposed. */
  onChange(listener: (up: boolean) => void): Disposable;
}

export type RequestContext = {
  readonly peer: string;
  /** Aborts when the link that brought the request goes down, or the program stops. */
  readonly signal: AbortSignal;
};

/** What peers may ask of this site. Of each peer at most 32 are handled at a time, more are refused. */
export interface RequestHandlers {
  /**
   * Answers `method` with what `handle` returns (JSON) until disposed. A DualhomeError reaches the
   * asking site under its code; anything else as LINK_REQUEST_FAILED.
   */
  register<P>(
    method: string,
    params: z.ZodType<P>,
    handle: (params: P, context: RequestContext) => Promise<unknown>,
  ): Disposable;
}

/** The lane that applies one log of one peer to the copy of it here, whose only writer it is. */
export interface ApplyLane {
  readonly peer: string;
  readonly log: LogName;
  /** The applied position, read from the database. */
  cursor(): Promise<Position>;
  /**
   * The lane's lock: commits under way end, nothing more is applied until `work` has ended, then the
   * lane reads its cursor anew and resumes from there. Callers queue. `work` may move the head of the
   * standby, by compare-and-set in its own transaction (another synchronizer is only held off by that).
   */
  exclusive<T>(work: (cursor: Position) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Applies up to exactly `seq`, then runs `work` under the lane's lock: how a reader opens its
   * snapshot at a given seq.
   *
   * @throws LINK_MARK_PASSED where the lane is already beyond; the reason of `signal`
   */
  at<T>(seq: number, work: (cursor: Position) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Forgets why it is parked and begins again from the cursor in the database. */
  restart(): void;
}

/** The lane that sends one log of this site to one peer. */
export interface SendLane {
  readonly peer: string;
  readonly log: LogName;
  /** What the peer has said to have applied, newest first-hand knowledge; undefined before it ever did. */
  readonly applied: number | undefined;
  /** While `work` runs no event is sent; `sent` is the last one that was. */
  hold<T>(work: (sent: number | undefined) => Promise<T>): Promise<T>;
}

/** Conditions an operator must know of, in `site.alarms`; at most one open per code and subject. */
export interface Alarms {
  /**
   * Subjects: `configuration` for our own log, `c2/configuration` for what we hold of a peer, `c2/configuration-copy` for
   * what it holds of ours; of the other log accordingly; `c2` for its link.
   */
  raise(
    code: ErrorCode,
    subject: string,
    detail: string,
    facts?: Readonly<Record<string, unknown>>,
  ): Promise<void>;
  clear(code: ErrorCode, subject: string): Promise<void>;
}

/** A log of this site, as it is sent. */
export type OwnLog = { readonly definition: LogDefinition; readonly database: Database };

/** One log, between this site and one peer. */
export type PeerLog = {
  readonly definition: LogDefinition;
  /** Where the copy of the peer's is kept; absent where none is (`receives: false`). */
  readonly copy: OpenCopy | undefined;
  /** Absent where there is no copy. */
  readonly apply: ApplyLane | undefined;
  /** Absent where ours is not sent there (`sends: false`). */
  readonly send: SendLane | undefined;
  /** The last event of ours that the peer has said to have applied, in this run or before; undefined if it never did. */
  readonly applied: number | undefined;
};

/** Everything that belongs to one peer. */
export type Peer = {
  readonly config: PeerConfig;
  readonly link: PeerLink;
  readonly logs: ReadonlyMap<LogName, PeerLog>;
};

/** What `startTransfers` and `startJobs` are given. */
export type SynchronizerContext = {
  readonly config: SynchronizerConfig;
  readonly log: Logger;
  readonly registry: Registry;
  readonly logs: ReadonlyMap<LogName, OwnLog>;
  readonly shared: Database;
  readonly peers: ReadonlyMap<string, Peer>;
  readonly handlers: RequestHandlers;
  readonly alarms: Alarms;
  readonly reservations: Reservations;
  readonly clock: Clock;
  /** This site's certificate and the authorities of its peers, as they are now. */
  readonly certificates: CertificateStore;
  /** The peer whose certificate this is, or undefined. */
  readonly authenticate: (certificate: X509Certificate) => string | undefined;
};
