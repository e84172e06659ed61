import type { Behaviour, DeviceInput, DeviceOutput, DeviceState, Place } from './state.ts';

export type DeviceStep = { readonly state: DeviceState; readonly outputs: readonly DeviceOutput[] };

/** What a step needs beside the state: the behaviour, the time, and a number in [0, 1) for jitter. */
export type DeviceContext = {
  readonly behaviour: Behaviour;
  readonly nowMs: number;
  readonly random: () => number;
};

/** Part of its expiry after which a device refreshes, jittered between these (RFC 5626 section 4.4.1 does so for flows). */
const refreshAfter = { least: 0.5, most: 0.9 };

/**
 * The life of a device that has two sites (MISSION.md M11): it registers, asks its site by OPTIONS whether it is still
 * served, and after `missedMax` failed handshakes moves to the other one by itself. At the backup it stays.
 */
export function stepDevice(state: DeviceState, input: DeviceInput, context: DeviceContext): DeviceStep {
  switch (input.kind) {
    case 'start':
      return register(state, 'primary', context);
    case 'registered':
      return registered(state, input.expiresSeconds, context);
    case 'not-registered':
      return notRegistered(state, context);
    case 'probed':
      return probed(state, input, context);
    case 'timer':
      return timeUp(state, input.timer, context);
    case 'go':
      return state.isStopping ? still(state) : register(state, input.to, context);
    case 'stop':
      return stop(state);
  }
}

function register(state: DeviceState, to: Place, { behaviour }: DeviceContext): DeviceStep {
  return {
    state: { ...state, asking: to },
    outputs: [{ kind: 'register', to, expiresSeconds: behaviour.expiresSeconds }],
  };
}

function registered(state: DeviceState, expiresSeconds: number, context: DeviceContext): DeviceStep {
  const { asking, at, lostSinceMs } = state;
  if (!asking) return still(state);
  if (state.isStopping) return still({ ...state, at: null, asking: null });
  const { behaviour, random, nowMs } = context;
  const { least, most } = refreshAfter;
  const refreshMs = expiresSeconds * 1_000 * (least + random() * (most - least));
  const isMove = (at !== null && at !== asking) || lostSinceMs !== null;
  const tookMs = lostSinceMs === null ? 0 : nowMs - lostSinceMs;
  return {
    state: { ...state, at: asking, sinceMs: nowMs, asking: null, missed: 0, failures: 0, lostSinceMs: null },
    outputs: [
      ...(isMove ? [{ kind: 'moved', from: at, to: asking, tookMs } as const] : []),
      { kind: 'set-timer', timer: 'refresh', ms: refreshMs },
      ...(at === asking && lostSinceMs === null ? [] : [firstProbe(behaviour, random)]),
    ],
  };
}

/** The first probe comes at any moment of an interval, so that a thousand devices do not ask at once. */
function firstProbe({ probeIntervalMs }: Behaviour, random: () => number): DeviceOutput {
  return { kind: 'set-timer', timer: 'probe', ms: probeIntervalMs * random() };
}

/** The other site is tried at once; when neither takes it, both are tried again after a pause. */
function notRegistered(state: DeviceState, context: DeviceContext): DeviceStep {
  const { asking } = state;
  if (!asking) return still(state);
  if (state.isStopping) return still({ ...state, asking: null });
  const failures = state.failures + 1;
  const next: DeviceState = {
    ...state,
    asking: null,
    failures,
    lostSinceMs: state.at === null ? state.lostSinceMs : (state.lostSinceMs ?? context.nowMs),
  };
  if (failures % 2 === 1) return register(next, otherThan(asking), context);
  const { retryMs, retryMsMax } = context.behaviour;
  const pauseMs = Math.min(retryMs * 2 ** (failures / 2 - 1), retryMsMax) * (0.5 + 0.5 * context.random());
  return { state: next, outputs: [{ kind: 'set-timer', timer: 'retry', ms: pauseMs }] };
}

function probed(
  state: DeviceState,
  { to, isServed, sentMs }: DeviceInput & { kind: 'probed' },
  context: DeviceContext,
): DeviceStep {
  const { isStopping, asking, at, sinceMs } = state;
  if (isStopping || asking !== null || at === null || sentMs < sinceMs) return still(state);
  if (to !== at) return isServed && to === 'primary' ? register(state, to, context) : still(state);
  if (isServed) return still({ ...state, missed: 0, lostSinceMs: null });
  const missed = state.missed + 1;
  const next = { ...state, missed, lostSinceMs: state.lostSinceMs ?? sentMs };
  return missed < context.behaviour.missedMax ? still(next) : register(next, otherThan(at), context);
}

function timeUp(
  state: DeviceState,
  timer: (DeviceInput & { kind: 'timer' })['timer'],
  context: DeviceContext,
): DeviceStep {
  const { at, asking, isStopping } = state;
  const { probeIntervalMs, returns } = context.behaviour;
  if (isStopping) return still(state);
  if (timer === 'retry') return asking ? still(state) : register(state, at ?? 'primary', context);
  if (at === null) return still(state);
  if (timer === 'refresh') return asking ? still(state) : register(state, at, context);
  return {
    state,
    outputs: [
      { kind: 'probe', to: at },
      ...(returns && at === 'backup' ? [{ kind: 'probe', to: 'primary' } as const] : []),
      { kind: 'set-timer', timer: 'probe', ms: probeIntervalMs },
    ],
  };
}

/** Ends the registration where there is one. */
function stop(state: DeviceState): DeviceStep {
  const outputs: DeviceOutput[] = [{ kind: 'clear-timers' }];
  if (state.at) outputs.push({ kind: 'register', to: state.at, expiresSeconds: 0 });
  return { state: { ...state, isStopping: true, asking: state.at }, outputs };
}

function otherThan(place: Place): Place {
  return place === 'primary' ? 'backup' : 'primary';
}

function still(state: DeviceState): DeviceStep {
  return { state, outputs: [] };
}
