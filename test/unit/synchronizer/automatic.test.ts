import { describe, expect, it } from 'vitest';
import type { Direction, LinkStatus } from '../../../services/protocol/status.ts';
import { dueOf } from '../../../services/synchronizer/jobs/automatic.ts';

const trouble = (code: string) => ({ code, detail: '', action: '' });

/** What c1 knows of one direction, and the jobs that follow. */
function due(direction: Partial<Direction>, state: LinkStatus['state'] = 'up') {
  const caughtUp = { log: 'configuration', lane: 'applying', eventsBehind: 0, applied: 7, proof: null };
  const directions = [{ ...caughtUp, trouble: null, ...direction } as Direction];
  const peers = [{ name: 'c2', link: { state } as LinkStatus, directions }];
  return dueOf({ site: 'c1', peers }).map(({ kind, peer, log }) => ({ kind, peer, log }));
}

const proof = { seq: 7, equal: true, rows: 1, provenAt: '2026-01-01T00:00:00.000Z' };

describe('a copy at the peer', () => {
  it('is compared once it has caught up and was never compared', () => {
    expect(due({ from: 'c1' })).toEqual([{ kind: 'verify', peer: 'c2', log: 'configuration' }]);
    expect(due({ from: 'c1', log: 'registration' })).toEqual([
      { kind: 'verify', peer: 'c2', log: 'registration' },
    ]);
  });

  it.each<[string, Partial<Direction>]>([
    ['was compared', { proof }],
    ['is behind', { eventsBehind: 1 }],
    ['is not known to be caught up', { eventsBehind: null }],
    ['holds nothing', { applied: 0 }],
    ['is parked', { lane: 'parked' }],
  ])('is left alone when it %s', (_when, direction) => {
    expect(due({ from: 'c1', ...direction })).toEqual([]);
  });

  it('is compared by its home, not by the site that holds it', () => {
    expect(due({ from: 'c2' })).toEqual([]);
  });
});

describe('a copy that is held here', () => {
  const parked = { from: 'c2', lane: 'parked' } as const;

  it('is fetched anew when the log alone cannot continue it', () => {
    expect(due({ ...parked, trouble: trouble('LINK_SNAPSHOT_NEEDED') })).toEqual([
      { kind: 'pull', peer: 'c2', log: 'configuration' },
    ]);
  });

  it.each([
    'LINK_PEER_RESTORED',
    'LINK_FORKED',
    'LINK_INCARNATION_REPLACED',
    'EVENT_UNREADABLE',
    'LINK_EVENT_REFUSED',
    'LOG_BROKEN',
  ])('is never replaced by itself under %s: an operator decides', (code) => {
    expect(due({ ...parked, trouble: trouble(code) })).toEqual([]);
  });

  it('is not pushed by the site that holds it to the one it comes from', () => {
    expect(due({ from: 'c1', lane: 'parked', trouble: trouble('LINK_SNAPSHOT_NEEDED') })).toEqual([]);
  });
});

it.each(['down', 'dialling'] as const)('nothing begins while the link is %s', (state) => {
  expect(due({ from: 'c1' }, state)).toEqual([]);
});
