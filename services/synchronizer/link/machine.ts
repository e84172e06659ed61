import type { ErrorCode } from '../../protocol/errors/index.ts';

/** Why there is no connection. */
export type Failure = { readonly code: ErrorCode; readonly detail: string };

/** Times are of the monotonic clock. A connection is known here once both ends have said HELLO. */
export type LinkState =
  /** `dialAtMs` is null where it is the peer that dials. */
  | { readonly phase: 'waiting'; readonly failures: number; readonly dialAtMs: number | null }
  | { readonly phase: 'dialling'; readonly failures: number }
  | {
      readonly phase: 'running';
      readonly failures: number;
      readonly connection: number;
      readonly sinceMs: number;
      readonly heardMs: number;
      readonly beatAtMs: number;
      readonly tickedMs: number;
    }
  | { readonly phase: 'stopped' };

export type LinkEvent =
  | { readonly type: 'tick' }
  | { readonly type: 'dial-failed'; readonly failure: Failure }
  | { readonly type: 'connected'; readonly connection: number }
  | { readonly type: 'heard'; readonly connection: number }
  | { readonly type: 'closed'; readonly connection: number; readonly failure: Failure }
  | { readonly type: 'stop' };

export type LinkEffect =
  | { readonly type: 'dial' }
  | { readonly type: 'abandon-dial' }
  | { readonly type: 'up'; readonly connection: number }
  | { readonly type: 'down'; readonly failure: Failure }
  | { readonly type: 'heartbeat'; readonly connection: number }
  | { readonly type: 'close'; readonly connection: number; readonly failure: Failure };

export type LinkRules = {
  /** Whether it is this side that dials. */
  readonly dials: boolean;
  /** Wait before the next dial after so many failures in a row, 1 being the first; jittered. */
  readonly redialMs: (failures: number) => number;
  readonly heartbeatMs: number;
  readonly silenceMs: number;
  /** A connection that lived so long was none of a row of failures. */
  readonly stableMs: number;
};

export type LinkStep = { readonly state: LinkState; readonly effects: readonly LinkEffect[] };

const superseded: Failure = { code: 'LINK_SUPERSEDED', detail: 'a newer connection took over' };
const stopped: Failure = { code: 'LINK_STOPPED', detail: 'the synchronizer stops' };

export function initialState(rules: LinkRules, nowMs: number): LinkState {
  return { phase: 'waiting', failures: 0, dialAtMs: rules.dials ? nowMs : null };
}

/**
 * The life of the link to one peer. One connection at a time: the newest whose ends know each other
 * wins, since an older one is either a duplicate or dead without having noticed.
 */
export function step(rules: LinkRules, state: LinkState, event: LinkEvent, nowMs: number): LinkStep {
  if (state.phase === 'stopped') return { state, effects: leftOver(event) };
  switch (event.type) {
    case 'tick':
      return tick(rules, state, nowMs);
    case 'dial-failed':
      if (state.phase !== 'dialling') return { state, effects: [] };
      return lose(rules, state.failures + 1, nowMs, [{ type: 'down', failure: event.failure }]);
    case 'connected':
      return connect(rules, state, event.connection, nowMs);
    case 'heard':
      if (!isCurrent(state, event.connection)) return { state, effects: [] };
      return { state: { ...state, heardMs: nowMs }, effects: [] };
    case 'closed':
      if (!isCurrent(state, event.connection)) return { state, effects: [] };
      return loseRunning(rules, state, nowMs, [{ type: 'down', failure: event.failure }]);
    case 'stop':
      return { state: { phase: 'stopped' }, effects: end(state, stopped) };
    default:
      return event satisfies never;
  }
}

/** When the next tick is due; undefined where only an event can change anything. */
export function dueAtMs(rules: LinkRules, state: LinkState): number | undefined {
  if (state.phase === 'waiting') return state.dialAtMs ?? undefined;
  if (state.phase === 'running') return Math.min(state.beatAtMs, state.heardMs + rules.silenceMs);
  return undefined;
}

type Running = Extract<LinkState, { phase: 'running' }>;
type Live = Exclude<LinkState, { phase: 'stopped' }>;

const isCurrent = (state: LinkState, connection: number): state is Running =>
  state.phase === 'running' && state.connection === connection;

function tick(rules: LinkRules, state: Live, nowMs: number): LinkStep {
  if (state.phase === 'waiting' && state.dialAtMs !== null && nowMs >= state.dialAtMs) {
    return { state: { phase: 'dialling', failures: state.failures }, effects: [{ type: 'dial' }] };
  }
  if (state.phase !== 'running') return { state, effects: [] };
  const heardMs = forgiveOwnStall(rules, state, nowMs);
  if (nowMs - heardMs >= rules.silenceMs) {
    const failure: Failure = { code: 'LINK_SILENT', detail: `nothing for ${rules.silenceMs} ms` };
    return loseRunning(rules, state, nowMs, end(state, failure));
  }
  const next = { ...state, heardMs, tickedMs: nowMs };
  if (nowMs < state.beatAtMs) return { state: next, effects: [] };
  return {
    state: { ...next, beatAtMs: nowMs + rules.heartbeatMs },
    effects: [{ type: 'heartbeat', connection: state.connection }],
  };
}

/** A process that was stopped or starved itself has not listened: the peer gets one heartbeat's time to be heard. */
function forgiveOwnStall(rules: LinkRules, { heardMs, tickedMs }: Running, nowMs: number): number {
  if (nowMs - tickedMs < 2 * rules.heartbeatMs) return heardMs;
  return Math.max(heardMs, nowMs - rules.silenceMs + rules.heartbeatMs);
}

function connect(rules: LinkRules, state: Live, connection: number, nowMs: number): LinkStep {
  const before: readonly LinkEffect[] =
    state.phase === 'dialling' ? [{ type: 'abandon-dial' }] : end(state, superseded);
  return {
    state: {
      phase: 'running',
      failures: state.failures,
      connection,
      sinceMs: nowMs,
      heardMs: nowMs,
      beatAtMs: nowMs + rules.heartbeatMs,
      tickedMs: nowMs,
    },
    effects: [...before, { type: 'up', connection }],
  };
}

function loseRunning(
  rules: LinkRules,
  state: Running,
  nowMs: number,
  effects: readonly LinkEffect[],
): LinkStep {
  const lasted = nowMs - state.sinceMs >= rules.stableMs;
  return lose(rules, lasted ? 1 : state.failures + 1, nowMs, effects);
}

function lose(rules: LinkRules, failures: number, nowMs: number, effects: readonly LinkEffect[]): LinkStep {
  const dialAtMs = rules.dials ? nowMs + rules.redialMs(failures) : null;
  return { state: { phase: 'waiting', failures, dialAtMs }, effects };
}

/** What ends whatever is under way. */
function end(state: Live, failure: Failure): readonly LinkEffect[] {
  if (state.phase === 'dialling') return [{ type: 'abandon-dial' }];
  if (state.phase === 'waiting') return [];
  return [
    { type: 'close', connection: state.connection, failure },
    { type: 'down', failure },
  ];
}

/** A connection made while the program stops is of no use to anyone. */
function leftOver(event: LinkEvent): readonly LinkEffect[] {
  if (event.type !== 'connected') return [];
  return [{ type: 'close', connection: event.connection, failure: stopped }];
}
