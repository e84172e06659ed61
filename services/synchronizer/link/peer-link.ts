import type { z } from 'zod';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import type { Frame } from '../../protocol/link/codec.ts';
import type { Hello, Request, Resume } from '../../protocol/link/frame.ts';
import { heartbeatMs, silenceMs } from '../../protocol/link/limits.ts';
import type { Report } from '../../protocol/link/report.ts';
import { linkVersions } from '../../protocol/link/version.ts';
import { unlessAborted } from '../../platform/lifecycle/abort.ts';
import { backoffMs } from '../../platform/lifecycle/backoff.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { Logger } from '../../platform/logging/logger.ts';
import type { PeerLink, RequestOptions } from '../ports.ts';
import { Heartbeats } from './clock-sync.ts';
import type { ClockReading } from './clock-sync.ts';
import type { Connection } from './connection.ts';
import { LinkDriver } from './driver.ts';
import type { Greeted } from './greet.ts';
import { refusal, RequestLimit } from './handler-table.ts';
import type { HandlerTable } from './handler-table.ts';
import type { Failure } from './machine.ts';
import { OpenRequests } from './open-requests.ts';
import type { Routes, Session } from './session.ts';

export type SitePeerLinkOptions = {
  readonly site: string;
  readonly peer: string;
  readonly dials: boolean;
  readonly software: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly handlers: HandlerTable;
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
  /** What this side has to say of both directions now. */
  readonly report: () => Report;
  /** What the peer has to say; told for every HELLO and heartbeat. */
  readonly onReport: (report: Report) => void;
};

/** What is known of the link itself. */
export type LinkFacts = {
  readonly phase: 'up' | 'dialling' | 'down';
  /** Wall clock: since when it is up, or is not. */
  readonly sinceMs: number;
  /** Why it is down, or was the last time. */
  readonly failure: Failure | undefined;
  /** Of the protocol; undefined while down, and up without one in common. */
  readonly version: number | undefined;
  /** The peer's, as it last said. */
  readonly software: string | undefined;
  readonly clocks: ClockReading | undefined;
  /** Since the last heartbeat, or the connection; undefined while down. */
  readonly heartbeatAgeMs: number | undefined;
};

/** A connection that is up. */
type Live = {
  readonly connection: Connection;
  readonly version: number | undefined;
  readonly heartbeats: Heartbeats;
  readonly limit: RequestLimit;
};

const redial = { initialMs: 50, maxMs: 5_000, factor: 2, jitter: 0.5 };
const stableMs = 5_000;

/** The link to one peer: one connection after the other, requests, heartbeats, and the lanes' frames. */
export class SitePeerLink implements PeerLink {
  readonly peer: string;
  readonly #options: SitePeerLinkOptions;
  readonly #driver: LinkDriver;
  readonly #listeners = new Set<(up: boolean) => void>();
  readonly #requests = new OpenRequests();
  #routes: Routes = { apply: new Map(), send: new Map() };
  #live: Live | undefined;
  #sinceMs: number;
  #failure: Failure | undefined;
  #software: string | undefined;

  constructor(options: SitePeerLinkOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.#sinceMs = options.clock.nowMs();
    this.#driver = new LinkDriver({
      rules: {
        dials: options.dials,
        redialMs: (failures) => backoffMs(redial, failures, Math.random()),
        heartbeatMs,
        silenceMs,
        stableMs,
      },
      clock: options.clock,
      dial: options.dial,
      hello: () => this.#hello(),
      onUp: (connection, greeted) => this.#onUp(connection, greeted),
      onFrame: (frame) => this.#onFrame(frame),
      onHeartbeatDue: () => this.beat(),
      onDown: (failure) => this.#onDown(failure),
    });
  }

  get facts(): LinkFacts {
    const { version, heartbeats } = this.#live ?? {};
    return {
      phase: this.#live ? 'up' : this.#driver.phase === 'dialling' ? 'dialling' : 'down',
      sinceMs: this.#sinceMs,
      failure: this.#failure,
      version,
      software: this.#software,
      clocks: heartbeats?.clocks,
      heartbeatAgeMs: heartbeats && this.#options.clock.monotonicMs() - heartbeats.atMs,
    };
  }

  get up(): boolean {
    return this.#session !== undefined;
  }

  /** The lanes whose frames come over this link; once, before it starts. */
  route(routes: Routes): void {
    this.#routes = routes;
  }

  start(): void {
    this.#driver.start();
  }

  stop(): void {
    this.#driver.stop();
  }

  accept(connection: Connection): void {
    this.#driver.accept(connection);
  }

  /** Somebody who claimed to be this peer was refused. */
  refused({ code, detail }: DualhomeError): void {
    if (!this.#live) this.#onDown({ code, detail: detail ?? '' });
  }

  /** Ends the connection, so that both sides begin anew on the next one. */
  reset(detail: string): void {
    this.#live?.connection.close('LINK_CLOSED', detail);
  }

  /** Sends a heartbeat now: what this side reports has changed in kind. */
  beat(): void {
    if (!this.#live) return;
    const { connection, heartbeats } = this.#live;
    // Where it cannot be sent the connection is down, which is told elsewhere.
    connection.send('heartbeat', heartbeats.compose(this.#options.report())).catch(() => undefined);
  }

  onChange(listener: (up: boolean) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  async whenUp(signal: AbortSignal): Promise<void> {
    await this.whenSession(signal);
  }

  /** The session that is up, or the next one. */
  /** The session that is up, or the next one. */
  async whenSession(signal: AbortSignal): Promise<Session> {
    if (this.#session) return this.#session;
    const { promise, resolve } = Promise.withResolvers<Session>();
    using _listener = this.onChange(() => this.#session && resolve(this.#session));
    return await unlessAborted(promise, signal);
  }

  async request<T>(
    method: string,
    params: unknown,
    result: z.ZodType<T>,
    options: RequestOptions = {},
  ): Promise<T> {
    if (!this.#session) throw this.#downError();
    return this.#requests.ask(this.#session, method, params, result, options);
  }

  get #session(): Session | undefined {
    return this.#live?.version === undefined ? undefined : this.#live.connection;
  }

  #downError(): DualhomeError {
    if (this.#live) return new DualhomeError('LINK_PROTOCOL_UNSUPPORTED');
    const detail = this.#failure && `${this.#failure.code}: ${this.#failure.detail}`;
    return new DualhomeError('LINK_DOWN', { detail });
  }

  #hello(): Hello {
    const { site, peer, software, report } = this.#options;
    return { protocol: linkVersions, site, peer, software, report: report() };
  }

  #onUp(connection: Connection, { hello, version }: Greeted): void {
    const { clock, log, onReport } = this.#options;
    this.#live = { connection, version, heartbeats: new Heartbeats(clock), limit: new RequestLimit() };
    this.#sinceMs = clock.nowMs();
    this.#software = hello.software;
    log.info({ peer: this.peer, version, software: hello.software }, 'link up');
    onReport(hello.report);
    this.beat();
    this.#tell();
  }

  #onDown(failure: Failure): void {
    const { clock, log, peer } = this.#options;
    const wasUp = this.#live !== undefined;
    const known = !wasUp && this.#failure?.code === failure.code;
    log[known ? 'debug' : 'warn']({ peer, ...failure }, wasUp ? 'link down' : 'no link');
    if (wasUp) this.#sinceMs = clock.nowMs();
    this.#live = undefined;
    this.#failure = failure;
    this.#requests.failAll(this.#downError());
    if (wasUp) this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.up);
  }

  #onFrame(frame: Frame): void {
    switch (frame.name) {
      case 'heartbeat':
        this.#live?.heartbeats.receive(frame.body);
        this.#options.onReport(frame.body.report);
        return;
      case 'events':
        this.#routes.apply.get(frame.body.log)?.onEvents(frame.body, frame.bytes);
        return;
      case 'resumed':
        this.#routes.apply.get(frame.body.log)?.onResumed(frame.body);
        return;
      case 'resume':
        this.#onResume(frame.body);
        return;
      case 'ack':
        this.#routes.send.get(frame.body.log)?.onAck(frame.body);
        return;
      case 'request':
        void this.#answer(frame.body);
        return;
      case 'response':
        this.#requests.settle(frame.body);
        return;
      case 'hello':
      case 'bye':
        throw new DualhomeError('LINK_FRAME_INVALID', { detail: `${frame.name} out of place` });
      default:
        frame satisfies never;
    }
  }

  #onResume(resume: Resume): void {
    const session = this.#session;
    const lane = this.#routes.send.get(resume.log);
    if (!session) return;
    if (lane) return lane.onResume(resume, session);
    const { log, attempt } = resume;
    session.send('resumed', { log, attempt, outcome: 'not-sent', detail: '' }).catch(() => undefined);
  }

  async #answer(request: Request): Promise<void> {
    if (!this.#live) return;
    const { connection, limit } = this.#live;
    const { handlers, peer } = this.#options;
    const context = { peer, signal: connection.signal };
    const response = await limit.run(request.id, () => handlers.answer(request, context));
    await connection.send('response', response).catch((error: unknown) => {
      // Too large for a frame; any other failure is that of the connection, of which the peer knows.
      if (!isDualhomeError(error, 'LINK_FRAME_INVALID')) return undefined;
      return connection.send('response', refusal(request.id, error)).catch(() => undefined);
    });
  }
}
