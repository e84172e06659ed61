import { expect, test } from 'vitest';
import { Output } from '../../../services/cli/output/output.ts';
import { renderStatus } from '../../../services/cli/output/status-screen.ts';
import type { Direction } from '../../../services/protocol/status.ts';

const at = '2026-11-26T09:00:00.000Z';
const incarnation = '11111111-1111-4111-8111-111111111111';

const direction: Direction = {
  log: 'configuration',
  from: 'c1',
  to: 'c2',
  health: 'ok',
  heardSecondsAgo: 0.5,
  head: { incarnation, seq: 203, hash: 'ab'.repeat(32) },
  firstSeq: 1,
  sent: 405,
  received: 405,
  applied: 405,
  eventsBehind: 0,
  secondsBehind: 0,
  bytesUnsent: 0,
  lane: 'applying',
  trouble: null,
  proof: null,
  ready: true,
  loss: { changes: 0, oldestSeconds: 0 },
};

/** HEAD and APPLIED of a direction, as the screen shows them. */
function shown(changed: Partial<Direction>): readonly (string | undefined)[] {
  const link = {
    state: 'up',
    since: at,
    trouble: null,
    heartbeatSecondsAgo: 0,
    roundTripMs: 1,
    clockOffsetMs: 0,
    protocol: 1,
    software: null,
  } as const;
  const peers = [{ name: 'c2', link, directions: [{ ...direction, ...changed }] }];
  const status = { site: 'c1', software: '1', at, health: 'ok' } as const;
  const screen = renderStatus(new Output(false), { ...status, alarms: [], warnings: [], peers });
  return (
    /c1 -> c2 +\w+ +(\S+) +(\S+)/
      .exec(screen.split('\n').find((line) => line.startsWith('configuration')) ?? '')
      ?.slice(1) ?? []
  );
}

test('what a copy holds was in the log, though its head was read before', () => {
  expect(shown({})).toEqual(['405', '405']);
  expect(shown({ applied: 200, eventsBehind: 3 })).toEqual(['203', '200']);
});

test('a copy of a history that home no longer has is shown beside what home has', () => {
  expect(shown({ eventsBehind: null, loss: null })).toEqual(['203', '405']);
});

test('what is not known is a question mark', () => {
  expect(shown({ head: null, applied: null, eventsBehind: null })).toEqual(['?', '?']);
});
