import { describe, expect, it } from 'vitest';
import { genesisHash } from '../../../services/protocol/position.ts';
import type { Position } from '../../../services/protocol/position.ts';
import { answerResume } from '../../../services/synchronizer/send/answer-resume.ts';
import type { OwnFacts } from '../../../services/synchronizer/store/own-log.ts';

const [first, second] = ['1111-one', '2222-two'];
const hash = (text: string): Buffer => Buffer.from(text.padEnd(32));
const at = (seq: number, incarnation = first, text = `at ${seq}`): Position => ({
  incarnation,
  seq,
  hash: hash(text),
});
const genesis: Position = { incarnation: 'nil', seq: 0, hash: genesisHash };

/** A log of 100 events, all there, whose event at the standby's seq is the standby's. */
const home = (position: Position, facts: Partial<OwnFacts> = {}): OwnFacts => ({
  head: at(100),
  firstSeq: 1,
  hashAt: position.seq === 0 ? null : position.hash,
  incarnationAt: position.seq === 0 ? null : first,
  knowsIncarnation: position.seq > 0,
  ...facts,
});

const outcome = (position: Position, facts: Partial<OwnFacts> = {}) =>
  answerResume(position, home(position, facts)).outcome;

describe('the answer to RESUME', () => {
  it('is ok for a point of this history whose followers are held', () => {
    expect(outcome(at(40))).toBe('ok');
    expect(outcome(at(40), { firstSeq: 41 })).toBe('ok');
    expect(outcome(at(100), { hashAt: null, firstSeq: null })).toBe('ok');
  });

  it('is ok for an empty standby of a log that is whole, or empty as well', () => {
    expect(outcome(genesis)).toBe('ok');
    expect(outcome(genesis, { head: genesis, firstSeq: null })).toBe('ok');
  });

  it('asks for a snapshot where events that follow are no longer held', () => {
    expect(outcome(genesis, { firstSeq: 2 })).toBe('snapshot-needed');
    expect(outcome(at(40), { firstSeq: 42 })).toBe('snapshot-needed');
    expect(outcome(at(40), { firstSeq: 42, hashAt: null })).toBe('snapshot-needed');
  });

  it('asks for a snapshot where the position cannot be proven', () => {
    expect(outcome(at(40), { firstSeq: 41, hashAt: null })).toBe('snapshot-needed');
  });

  it('notices that home was put back below the standby', () => {
    expect(outcome(at(101), { hashAt: null })).toBe('restored');
  });

  it('notices that home was emptied, and when something else was written since', () => {
    const emptied = { firstSeq: null, hashAt: null, incarnationAt: null, knowsIncarnation: false };
    expect(outcome(at(40), { ...emptied, head: genesis })).toBe('restored');
    expect(outcome(at(40), { ...emptied, head: at(7, second), firstSeq: 1, incarnationAt: second })).toBe(
      'restored',
    );
    expect(outcome(at(40), { ...emptied, head: at(90, second), firstSeq: 1, incarnationAt: second })).toBe(
      'restored',
    );
  });

  it('notices a fork: the same seq of the same incarnation, another event', () => {
    expect(outcome(at(40), { hashAt: hash('other') })).toBe('forked');
    expect(outcome(at(100), { head: at(100, first, 'other'), hashAt: hash('other') })).toBe('forked');
  });

  it('goes on into a new incarnation that begins right after the position', () => {
    expect(outcome(at(40), { head: at(60, second) })).toBe('ok');
  });

  it('stops at a new incarnation that began before the position', () => {
    const restarted = { head: at(60, second), incarnationAt: second, hashAt: hash('other') };
    expect(outcome(at(40), restarted)).toBe('replaced');
    expect(outcome(at(70), { ...restarted, hashAt: null })).toBe('replaced');
  });
});
