import { describe, expect, it } from 'vitest';
import { admit } from '../../../services/log/snapshot/admit.ts';
import type { StandbyState } from '../../../services/log/snapshot/admit.ts';
import type { SnapshotHeader } from '../../../services/protocol/manifest.ts';
import { genesisHash } from '../../../services/protocol/position.ts';
import type { Scope } from '../../../services/protocol/scope.ts';
import { wholeScope } from '../../../services/protocol/scope.ts';

const own = '11111111-1111-4111-8111-111111111111';
const other = '22222222-2222-4222-8222-222222222222';
const nil = '00000000-0000-0000-0000-000000000000';
const hashOf = (seq: number, fork = 0) => (seq === 0 ? genesisHash : Buffer.alloc(32, seq + fork));
const part: Scope = { kinds: ['subscriber'], keyRange: null };

const snapshot = (seq: number, fields: Partial<SnapshotHeader> = {}): SnapshotHeader => ({
  format: 1,
  transfer: own,
  site: 'c1',
  log: 'configuration',
  incarnation: own,
  seq,
  hash: hashOf(seq).toString('hex'),
  scope: wholeScope,
  tables: [],
  ...fields,
});

/** A standby at `head` that holds every event behind `base`. */
const standby =
  (head: number, base = 0): ((seq: number) => StandbyState) =>
  (seq) => ({
    head: { incarnation: head === 0 ? nil : own, seq: head, hash: hashOf(head) },
    base: { seq: base, hash: hashOf(base), incarnation: undefined },
    hashThere: seq > base && seq <= head ? hashOf(seq) : undefined,
  });

const decide = (header: SnapshotHeader, state: (seq: number) => StandbyState): string => {
  try {
    return admit(header, state(header.seq));
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a snapshot offered to a standby', () => {
  it.each<[string, SnapshotHeader, (seq: number) => StandbyState, string]>([
    ['fills an empty one', snapshot(9), standby(0), 'advance'],
    ['fills an empty one also with nothing', snapshot(0, { incarnation: nil }), standby(0), 'advance'],
    ['takes one that lags to its point', snapshot(9), standby(5), 'advance'],
    ['is rolled forward to one that is ahead', snapshot(5), standby(9), 'roll-forward'],
    ['replaces one at the same point', snapshot(9), standby(9), 'roll-forward'],
    [
      'is rolled forward from the snapshot the standby itself began with',
      snapshot(5),
      standby(9, 5),
      'roll-forward',
    ],
    ['of a part waits for an empty standby', snapshot(9, { scope: part }), standby(0), 'wait'],
    ['of a part waits for one that lags', snapshot(9, { scope: part }), standby(5), 'wait'],
    ['of a part replaces it in one that is there', snapshot(5, { scope: part }), standby(9), 'roll-forward'],
    ['of an empty home is refused', snapshot(0, { incarnation: nil }), standby(9), 'TRANSFER_HOME_EMPTY'],
    [
      'of a home made anew is refused',
      snapshot(3, { incarnation: other, hash: hashOf(3, 1).toString('hex') }),
      standby(9),
      'TRANSFER_OTHER_INCARNATION',
    ],
    [
      'of another incarnation that is ahead is refused',
      snapshot(12, { incarnation: other }),
      standby(9),
      'TRANSFER_OTHER_INCARNATION',
    ],
    [
      'of an incarnation since continued is history all the same',
      snapshot(5, { incarnation: other }),
      standby(9),
      'roll-forward',
    ],
    [
      'with another event at its point is refused',
      snapshot(5, { hash: hashOf(5, 1).toString('hex') }),
      standby(9),
      'TRANSFER_FORKED',
    ],
    [
      'with another event at the head is refused',
      snapshot(9, { hash: hashOf(9, 1).toString('hex') }),
      standby(9),
      'TRANSFER_FORKED',
    ],
    ['from before the events held is refused', snapshot(3), standby(9, 5), 'TRANSFER_OUTDATED'],
  ])('%s', (_, header, state, expected) => {
    expect(decide(header, state)).toBe(expected);
  });
});
