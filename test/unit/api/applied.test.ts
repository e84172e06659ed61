import { describe, expect, it } from 'vitest';
import { Applied, appliedEverywhere } from '../../../services/api/applied.ts';
import type { Direction, Status } from '../../../services/protocol/status.ts';

const direction = (to: string, applied: number | null, from = 'c1'): Direction => ({
  log: 'configuration',
  from,
  to,
  health: 'ok',
  heardSecondsAgo: 0,
  head: null,
  firstSeq: 1,
  sent: null,
  received: null,
  applied,
  eventsBehind: null,
  secondsBehind: null,
  bytesUnsent: null,
  lane: null,
  trouble: null,
  proof: null,
  ready: true,
  loss: null,
});

const status = (directions: readonly Direction[]): Status => ({
  site: 'c1',
  software: 'test',
  at: '2026-01-01T00:00:00.000Z',
  health: 'ok',
  peers: directions.map((each) => ({
    name: each.to,
    directions: [each],
    link: {
      state: 'up',
      since: '2026-01-01T00:00:00.000Z',
      trouble: null,
      heartbeatSecondsAgo: 0,
      roundTripMs: 0,
      clockOffsetMs: 0,
      protocol: 1,
      software: 'test',
    },
  })),
  alarms: [],
  warnings: [],
});

describe('a change that waits to be applied', () => {
  it.each<[string, readonly Direction[], number | undefined]>([
    ['the least of all peers', [direction('c2', 9), direction('c3', 7)], 7],
    ['what the other way has applied does not count', [direction('c2', 9), direction('c1', 1, 'c2')], 9],
    [
      'a peer of which nothing is known leaves it open',
      [direction('c2', 9), direction('c3', null)],
      undefined,
    ],
    ['without a receiver nothing is to be waited for', [], Infinity],
  ])('counts as applied: %s', (_name, directions, expected) => {
    expect(appliedEverywhere(status(directions), 'c1')).toBe(expected);
  });

  it('is done as soon as every peer has applied it, also when the status fails in between', async () => {
    const answers = [null, 3, 5].map((applied) => async () => status([direction('c2', applied)]));
    answers.splice(1, 0, () => Promise.reject(new Error('away')));
    const applied = new Applied({
      site: 'c1',
      status: () =>
        (answers.length > 1 ? answers.shift() : answers[0])?.() ?? Promise.reject(new Error('none')),
      timeoutMs: 5_000,
    });
    await applied.until(4);
    expect(answers).toHaveLength(1);
  });

  it('is told to be durable, but not applied, when the time is up', async () => {
    const applied = new Applied({
      site: 'c1',
      status: () => Promise.resolve(status([direction('c2', 3)])),
      timeoutMs: 30,
    });
    await expect(applied.until(4)).rejects.toMatchObject({ code: 'CONFIG_NOT_APPLIED', facts: { seq: 4 } });
  });
});
