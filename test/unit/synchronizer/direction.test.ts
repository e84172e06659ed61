import { describe, expect, it } from 'vitest';
import type { HoldReport, SendReport } from '../../../services/protocol/link/report.ts';
import { directionOf } from '../../../services/synchronizer/status/direction.ts';
import type { DirectionFacts } from '../../../services/synchronizer/status/direction.ts';

const incarnation = '11111111-1111-4111-8111-111111111111';
const at = (seq: number) => ({ incarnation, seq, hash: 'ab'.repeat(32) });
const proof = { seq: 90, equal: true, rows: 10, provenAt: '2026-01-01T00:00:00.000Z' };

const sends = (report: Partial<SendReport> = {}): SendReport => ({
  log: 'configuration',
  head: at(100),
  firstSeq: 1,
  sent: 100,
  confirmed: 100,
  bytesUnsent: 0,
  oldestUnappliedMs: null,
  ...report,
});

const holds = (report: Partial<HoldReport> = {}): HoldReport => ({
  log: 'configuration',
  state: 'applying',
  code: null,
  detail: '',
  applied: at(100),
  received: 100,
  behindMs: null,
  proof,
  ...report,
});

/** The direction c1 -> c2 as c1 sees it: what c2 said is half a second old. */
const seenByHome = (facts: Partial<DirectionFacts> = {}) =>
  directionOf({
    log: 'configuration',
    from: 'c1',
    to: 'c2',
    home: { report: sends(), ageMs: 0 },
    standby: { report: holds(), ageMs: 500 },
    remote: 'standby',
    linkUp: true,
    ...facts,
  });

describe('a direction', () => {
  it('is the same whichever of its ends shows it', () => {
    const report = {
      home: sends({ confirmed: 96, head: at(100) }),
      standby: holds({ applied: at(97), behindMs: 40 }),
    };
    const one = seenByHome({
      home: { report: report.home, ageMs: 0 },
      standby: { report: report.standby, ageMs: 0 },
    });
    const other = seenByHome({
      home: { report: report.home, ageMs: 0 },
      standby: { report: report.standby, ageMs: 0 },
      remote: 'home',
    });
    expect(one).toEqual(other);
    expect(one).toMatchObject({ applied: 97, eventsBehind: 3, secondsBehind: 0.04 });
  });

  it('has nothing to send when nothing is behind, whatever was counted before', () => {
    const home = { report: sends({ confirmed: 90, bytesUnsent: 500 }), ageMs: 0 };
    const standby = { report: holds({ applied: at(100) }), ageMs: 0 };
    expect(seenByHome({ home, standby })).toMatchObject({ eventsBehind: 0, bytesUnsent: 0 });
  });

  it('needs a resync when the log no longer holds what follows the copy, whether that is heard of or not', () => {
    const home = { report: sends({ firstSeq: 91, confirmed: null }), ageMs: 0 };
    const lacking = { report: holds({ applied: at(89), state: 'unlinked' }), ageMs: 9_000 };
    for (const linkUp of [true, false]) {
      expect(seenByHome({ home, standby: lacking, linkUp })).toMatchObject({
        health: 'halted',
        trouble: { code: 'LOG_PEER_NEEDS_RESYNC' },
      });
    }
    const last = { report: holds({ applied: at(90) }), ageMs: 0 };
    expect(seenByHome({ home, standby: last })).toMatchObject({ health: 'ok', trouble: null });
  });

  it('is good only while it is proven, applying, in time, and heard of within three heartbeats', () => {
    expect(seenByHome().health).toBe('ok');
    expect(seenByHome({ linkUp: false }).health).toBe('unknown');
    expect(seenByHome({ standby: { report: holds(), ageMs: 3_000 } }).health).toBe('unknown');
    expect(seenByHome({ standby: undefined }).health).toBe('unknown');
    expect(seenByHome({ home: { report: sends({ head: null }), ageMs: 0 } }).health).toBe('unknown');
    expect(seenByHome({ standby: { report: holds({ proof: null }), ageMs: 0 } }).health).toBe('unproven');
    expect(seenByHome({ standby: { report: holds({ state: 'resuming' }), ageMs: 0 } }).health).toBe(
      'catching-up',
    );
    expect(seenByHome({ standby: { report: holds({ behindMs: 11_000 }), ageMs: 0 } }).health).toBe(
      'catching-up',
    );
    const differing = holds({ proof: { ...proof, equal: false } });
    expect(seenByHome({ standby: { report: differing, ageMs: 0 } })).toMatchObject({
      health: 'halted',
      ready: false,
    });
  });

  it('that is parked says why and what to do, however long ago that was heard', () => {
    const parked = holds({ state: 'parked', code: 'LINK_FORKED', detail: 'at 40' });
    const direction = seenByHome({ standby: { report: parked, ageMs: 60_000 }, linkUp: false });
    expect(direction).toMatchObject({ health: 'halted', trouble: { code: 'LINK_FORKED', detail: 'at 40' } });
    expect(direction.trouble?.action).toContain('Keep both databases');
  });

  it('counts no distance between histories that do not fit', () => {
    const parked = holds({ state: 'parked', code: 'LINK_PEER_RESTORED' });
    const restored = { report: sends({ head: at(40), confirmed: null, sent: null }), ageMs: 0 };
    expect(seenByHome({ home: restored, standby: { report: parked, ageMs: 0 } })).toMatchObject({
      eventsBehind: null,
      loss: null,
    });
  });

  it('shows a code of newer software without knowing it', () => {
    const parked = holds({ state: 'parked', code: 'SOMETHING_NEW', detail: 'why' });
    expect(seenByHome({ standby: { report: parked, ageMs: 0 } }).trouble).toMatchObject({
      code: 'SOMETHING_NEW',
      detail: 'why',
    });
  });

  it('tells what would be lost if its home died now, by the count of the home', () => {
    const behind = {
      report: sends({ confirmed: 90, sent: 95, oldestUnappliedMs: 7_000, bytesUnsent: 500 }),
      ageMs: 0,
    };
    const direction = seenByHome({
      home: behind,
      standby: { report: holds({ applied: at(90) }), ageMs: 60_000 },
    });
    expect(direction.loss).toEqual({ changes: 10, oldestSeconds: 7 });
    expect(direction.heardSecondsAgo).toBe(60);
  });

  it('knows nothing of a peer it never heard of', () => {
    const home = { report: sends({ confirmed: null, sent: null }), ageMs: 0 };
    expect(seenByHome({ home, standby: undefined, linkUp: false })).toMatchObject({
      health: 'unknown',
      heardSecondsAgo: null,
      applied: null,
      eventsBehind: null,
      secondsBehind: null,
      lane: null,
      ready: false,
      loss: null,
    });
  });
});
