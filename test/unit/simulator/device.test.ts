import { describe, expect, it } from 'vitest';
import { stepDevice } from '../../../services/simulator/device/reduce.ts';
import { unregistered } from '../../../services/simulator/device/state.ts';
import type {
  Behaviour,
  DeviceInput,
  DeviceOutput,
  DeviceState,
} from '../../../services/simulator/device/state.ts';

const behaviour: Behaviour = {
  probeIntervalMs: 5_000,
  missedMax: 2,
  expiresSeconds: 600,
  retryMs: 2_000,
  retryMsMax: 8_000,
  returns: false,
};

/** Runs the inputs one after the other, a second apart, and gives the last state with all outputs of the last input. */
function run(
  inputs: readonly DeviceInput[],
  overrides: Partial<Behaviour> = {},
): { state: DeviceState; outputs: readonly DeviceOutput[] } {
  let state = unregistered;
  let outputs: readonly DeviceOutput[] = [];
  inputs.forEach((input, i) => {
    const context = { behaviour: { ...behaviour, ...overrides }, nowMs: 1_000 * (i + 1), random: () => 0.5 };
    ({ state, outputs } = stepDevice(state, input, context));
  });
  return { state, outputs };
}

const start: DeviceInput = { kind: 'start' };
const registered: DeviceInput = { kind: 'registered', expiresSeconds: 100 };
const failed: DeviceInput = { kind: 'not-registered' };
const probe: DeviceInput = { kind: 'timer', timer: 'probe' };
const missed: DeviceInput = { kind: 'probed', to: 'primary', isServed: false, sentMs: 2_500 };
const served: DeviceInput = { kind: 'probed', to: 'primary', isServed: true, sentMs: 2_500 };

describe('a simulated device', () => {
  it('registers at its primary, refreshes within the expiry and probes within an interval', () => {
    expect(run([start]).outputs).toEqual([{ kind: 'register', to: 'primary', expiresSeconds: 600 }]);
    expect(run([start, registered])).toMatchObject({
      state: { at: 'primary', asking: null },
      outputs: [
        { kind: 'set-timer', timer: 'refresh', ms: 70_000 },
        { kind: 'set-timer', timer: 'probe', ms: 2_500 },
      ],
    });
    expect(run([start, registered, probe]).outputs).toEqual([
      { kind: 'probe', to: 'primary' },
      { kind: 'set-timer', timer: 'probe', ms: 5_000 },
    ]);
  });

  it('moves after as many failed handshakes in a row as it is set to, and says how long it was lost', () => {
    expect(run([start, registered, missed]).outputs).toEqual([]);
    expect(run([start, registered, missed, served, missed]).outputs).toEqual([]);
    expect(run([start, registered, missed, missed]).outputs).toMatchObject([
      { kind: 'register', to: 'backup' },
    ]);
    const moved = run([start, registered, missed, missed, registered]);
    expect(moved.state).toMatchObject({ at: 'backup', lostSinceMs: null, missed: 0 });
    expect(moved.outputs[0]).toEqual({ kind: 'moved', from: 'primary', to: 'backup', tookMs: 2_500 });
  });

  it('tries the other site at once when one does not take it, then pauses twice as long each round', () => {
    expect(run([start, failed]).outputs).toMatchObject([{ kind: 'register', to: 'backup' }]);
    expect(run([start, failed, failed]).outputs).toEqual([{ kind: 'set-timer', timer: 'retry', ms: 1_500 }]);
    const retry: DeviceInput = { kind: 'timer', timer: 'retry' };
    const round = [retry, failed, failed];
    expect(run([start, failed, failed, ...round]).outputs).toMatchObject([{ ms: 3_000 }]);
    expect(run([start, failed, failed, ...round, ...round, ...round, ...round]).outputs).toMatchObject([
      { ms: 6_000 },
    ]);
  });

  it('stays at the backup while that serves it; only one set to return looks for its primary', () => {
    const atBackup = [start, failed, registered];
    expect(run([...atBackup, probe]).outputs).toMatchObject([{ kind: 'probe', to: 'backup' }, {}]);
    const outputs = run([...atBackup, probe], { returns: true }).outputs;
    expect(outputs).toMatchObject([{ kind: 'probe', to: 'backup' }, { kind: 'probe', to: 'primary' }, {}]);
    const found: DeviceInput = { ...served, sentMs: 3_500 };
    expect(run([...atBackup, found], { returns: true }).outputs).toMatchObject([
      { kind: 'register', to: 'primary' },
    ]);
  });

  it('does not follow a late answer of the site that it has left', () => {
    const found: DeviceInput = { ...served, sentMs: 5_500 };
    const returned = [start, registered, missed, missed, registered, found, registered];
    const late: DeviceInput = { kind: 'probed', to: 'backup', isServed: true, sentMs: 7_500 };
    expect(run([...returned, late], { returns: true })).toMatchObject({
      state: { at: 'primary' },
      outputs: [],
    });
  });

  it('takes a handshake from before it was registered for nothing', () => {
    const early: DeviceInput = { ...missed, sentMs: 1_500 };
    expect(run([start, registered, early, early])).toMatchObject({ state: { missed: 0 }, outputs: [] });
  });

  it('ends its registration when stopped, and then does nothing more', () => {
    expect(run([start, registered, { kind: 'stop' }]).outputs).toEqual([
      { kind: 'clear-timers' },
      { kind: 'register', to: 'primary', expiresSeconds: 0 },
    ]);
    const ended = run([start, registered, { kind: 'stop' }, registered]);
    expect(ended).toMatchObject({ state: { at: null, asking: null }, outputs: [] });
    expect(
      run([start, registered, { kind: 'stop' }, registered, { kind: 'go', to: 'backup' }]).outputs,
    ).toEqual([]);
  });

  it('takes a late answer to a handshake for nothing once it is moving', () => {
    expect(run([start, registered, missed, missed, served])).toMatchObject({
      state: { asking: 'backup', at: 'primary' },
      outputs: [],
    });
  });
});
