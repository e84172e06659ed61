import { errorRegistry } from '../protocol/errors/index.ts';
import type { DualhomeError, ErrorCode } from '../protocol/errors/index.ts';
import type { Status } from '../protocol/status.ts';
import type { LogState } from '../log/written-log.ts';
import type { Alarm } from './store/alarms.ts';

export type ApiFacts = {
  readonly site: string;
  readonly software: string;
  readonly peers: readonly string[];
  readonly state: LogState;
  /** Undefined where the shared database does not answer. */
  readonly alarms: readonly Alarm[] | undefined;
  /** When the synchronizer was first found not to answer. */
  readonly silentSinceMs: number;
  readonly nowMs: number;
};

/** The synchronizer's status with what the api knows beside it. */
export function withLogState(status: Status, state: LogState): Status {
  return { ...status, warnings: [...status.warnings, ...closedWarning(state)] };
}

/** What can be said while the synchronizer does not answer: nothing about the peers but that. */
export function statusWithoutSynchronizer(error: DualhomeError, facts: ApiFacts): Status {
  const { site, software, peers, state, alarms, silentSinceMs, nowMs } = facts;
  const trouble = { code: error.code, detail: error.detail ?? '', action: error.definition.action };
  return {
    site,
    software,
    at: new Date(nowMs).toISOString(),
    health: 'unknown',
    peers: peers.map((name) => ({
      name,
      link: {
        state: 'down',
        since: new Date(silentSinceMs).toISOString(),
        trouble,
        heartbeatSecondsAgo: null,
        roundTripMs: null,
        clockOffsetMs: null,
        protocol: null,
        software: null,
      },
      directions: [],
    })),
    alarms: alarms?.map(shownAlarm) ?? null,
    warnings: [error.definition.summary, ...closedWarning(state)],
  };
}

function shownAlarm({ code, subject, detail, raised_at: raisedAt }: Alarm) {
  const action = Object.hasOwn(errorRegistry, code) ? errorRegistry[code as ErrorCode].action : '';
  return { code, subject, detail, action, raisedAt: raisedAt.toISOString() };
}

function closedWarning(state: LogState): readonly string[] {
  if (state.open) return [];
  const { code, definition } = state.reason;
  return [`The configuration cannot be changed now (${code}): ${definition.action}`];
}
