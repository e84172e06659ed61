import { expect, it } from 'vitest';
import { unknownSinceOf } from '../../../services/api/distribution.ts';
import { statusSchema } from '../../../services/protocol/status.ts';
import type { Status } from '../../../services/protocol/status.ts';

const at = '2026-11-25T08:00:10.000Z';
const downSince = '2026-11-25T08:00:05.000Z';

/** How c1 stands to c2, whose registrations it last heard of so long ago. */
function status(state: 'up' | 'down', heardSecondsAgo?: number): Status {
  const unheard = { head: null, firstSeq: null, sent: null, received: null, applied: null };
  const unknown = { eventsBehind: null, secondsBehind: null, bytesUnsent: null, lane: null, trouble: null };
  const ways =
    heardSecondsAgo === undefined ? [] : [['c1', 'c2', 99] as const, ['c2', 'c1', heardSecondsAgo] as const];
  return statusSchema.parse({
    site: 'c1',
    software: '',
    at,
    health: 'ok',
    peers: [
      {
        name: 'c2',
        link: {
          state,
          since: downSince,
          trouble: null,
          heartbeatSecondsAgo: null,
          roundTripMs: null,
          clockOffsetMs: null,
          protocol: null,
          software: null,
        },
        directions: ways.map(([from, to, seconds]) => ({
          log: 'registration',
          from,
          to,
          health: 'unknown',
          heardSecondsAgo: seconds,
          ...unheard,
          ...unknown,
          proof: null,
          ready: false,
          loss: null,
        })),
      },
    ],
    alarms: [],
    warnings: [],
  });
}

it.each([
  ['this site is always known', 'c1', status('down', 3), null],
  ['a peer is known while the link is up', 'c2', status('up', 3), null],
  ['a peer is unknown since it was last heard of', 'c2', status('down', 7), '2026-11-25T08:00:03.000Z'],
  ['one never heard of since the link is down', 'c2', status('down'), downSince],
  ['one the synchronizer does not know as of now', 'c3', status('up', 3), at],
])('%s', (_what, site, seen, expected) => {
  expect(unknownSinceOf(seen)(site)).toBe(expected);
});
