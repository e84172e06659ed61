import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueAtMs, initialState, step } from '../../../services/synchronizer/link/machine.ts';
import type {
  LinkEffect,
  LinkEvent,
  LinkRules,
  LinkState,
} from '../../../services/synchronizer/link/machine.ts';

const rules: LinkRules = {
  dials: true,
  redialMs: (failures) => 100 * failures,
  heartbeatMs: 1_000,
  silenceMs: 3_000,
  stableMs: 5_000,
};
const failure = { code: 'LINK_UNREACHABLE', detail: 'refused' } as const;

/** Runs events one after the other, each at its time. */
function run(events: readonly (readonly [number, LinkEvent])[], from = initialState(rules, 0)) {
  let state: LinkState = from;
  const effects: LinkEffect[] = [];
  for (const [atMs, event] of events) {
    const next = step(rules, state, event, atMs);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects, types: effects.map(({ type }) => type) };
}

const tick: LinkEvent = { type: 'tick' };
const connected = (connection: number): LinkEvent => ({ type: 'connected', connection });
const heard = (connection: number): LinkEvent => ({ type: 'heard', connection });
const closed = (connection: number): LinkEvent => ({ type: 'closed', connection, failure });

describe('link machine', () => {
  it('dials at once, then again after growing waits', () => {
    const first = run([[0, tick]]);
    expect(first.types).toEqual(['dial']);
    const second = run([[10, { type: 'dial-failed', failure }]], first.state);
    expect(dueAtMs(rules, second.state)).toBe(110);
    const third = run(
      [
        [110, tick],
        [120, { type: 'dial-failed', failure }],
      ],
      second.state,
    );
    expect(dueAtMs(rules, third.state)).toBe(320);
  });

  it('never dials where the peer does', () => {
    const waiting = initialState({ ...rules, dials: false }, 0);
    expect(dueAtMs(rules, waiting)).toBeUndefined();
    expect(run([[1_000_000, tick]], waiting).effects).toEqual([]);
  });

  it('sends a heartbeat each second', () => {
    const { types } = run([
      [0, connected(1)],
      [900, heard(1)],
      [1_000, tick],
      [1_900, heard(1)],
      [2_000, tick],
      [2_001, tick],
    ]);
    expect(types).toEqual(['up', 'heartbeat', 'heartbeat']);
  });

  it('cuts a connection that has been silent for three heartbeats, and redials', () => {
    const { state, effects } = run([
      [0, connected(1)],
      [1_000, tick],
      [2_000, tick],
      [2_999, tick],
      [3_000, tick],
    ]);
    expect(effects.at(-2)).toMatchObject({ type: 'close', connection: 1, failure: { code: 'LINK_SILENT' } });
    expect(effects.at(-1)).toMatchObject({ type: 'down' });
    expect(dueAtMs(rules, state)).toBe(3_100);
  });

  it('does not blame the peer for a pause of its own', () => {
    const paused = run([
      [0, connected(1)],
      [1_000, tick],
      [60_000, tick],
    ]);
    expect(paused.types).toEqual(['up', 'heartbeat', 'heartbeat']);
    expect(run([[61_000, tick]], paused.state).types).toEqual(['close', 'down']);
    expect(
      run(
        [
          [60_001, heard(1)],
          [61_000, tick],
        ],
        paused.state,
      ).types,
    ).toEqual(['heartbeat']);
  });

  it('lets the newest connection win', () => {
    const { effects, state } = run([
      [0, connected(1)],
      [10, connected(2)],
      [20, closed(1)],
    ]);
    expect(effects).toMatchObject([
      { type: 'up', connection: 1 },
      { type: 'close', connection: 1, failure: { code: 'LINK_SUPERSEDED' } },
      { type: 'down' },
      { type: 'up', connection: 2 },
    ]);
    expect(state).toMatchObject({ phase: 'running', connection: 2 });
  });

  it('abandons its own dial when the peer got through', () => {
    expect(
      run([
        [0, tick],
        [1, connected(1)],
      ]).types,
    ).toEqual(['dial', 'abandon-dial', 'up']);
  });

  it('starts its waits anew after a connection that lasted, and only then', () => {
    const flapping = run([
      [0, connected(1)],
      [10, closed(1)],
      [20, connected(2)],
      [30, closed(2)],
    ]);
    expect(dueAtMs(rules, flapping.state)).toBe(230);
    const lasting = run(
      [
        [30, connected(3)],
        [2_000, heard(3)],
        [5_030, closed(3)],
      ],
      flapping.state,
    );
    expect(dueAtMs(rules, lasting.state)).toBe(5_130);
  });

  it('closes what it has when it stops, and what comes afterwards', () => {
    const { types } = run([
      [0, connected(1)],
      [1, { type: 'stop' }],
      [2, connected(2)],
      [3, tick],
    ]);
    expect(types).toEqual(['up', 'close', 'down', 'close']);
  });

  it('never has two connections up, whatever happens', () => {
    const event = fc.oneof(
      fc.constant(tick),
      fc.constant<LinkEvent>({ type: 'dial-failed', failure }),
      fc.integer({ min: 1, max: 4 }).map(connected),
      fc.integer({ min: 1, max: 4 }).map(heard),
      fc.integer({ min: 1, max: 4 }).map(closed),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 4_000 }), event), { maxLength: 40 }), (steps) => {
        let nowMs = 0;
        const timed = steps.map(([afterMs, event]) => [(nowMs += afterMs), event] as const);
        let up = 0;
        for (const { type } of run(timed).effects) {
          if (type === 'up') up += 1;
          if (type === 'down') up = Math.max(0, up - 1);
          expect(up).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
