import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainHash, genesisHash } from '../../../services/protocol/position.ts';
import type { Position } from '../../../services/protocol/position.ts';
import type { EventsFrame } from '../../../services/protocol/link/events-frame.ts';
import { Inbox } from '../../../services/synchronizer/apply/inbox.ts';

const bodies = Array.from({ length: 40 }, (_, i) => Buffer.from(`event ${i + 1}`));
const hashes: Buffer[] = [];
for (const body of bodies) hashes.push(chainHash(hashes.at(-1) ?? genesisHash, body));
const hashAt = (seq: number): Buffer => hashes[seq - 1] ?? genesisHash;

const position = (seq: number): Position => ({ incarnation: 'one', seq, hash: hashAt(seq) });

/** Events `first` to `last` as they come. */
const frame = (first: number, last: number): EventsFrame => ({
  log: 'configuration',
  firstSeq: first,
  bodies: bodies.slice(first - 1, last),
  lastHash: hashAt(last),
});

const everything = { eventsMax: Infinity, bytesMax: Infinity, seqMax: Infinity };

describe('inbox', () => {
  it('merges what came into one batch, in order, with the chain after every event', () => {
    const inbox = new Inbox(position(0));
    inbox.push(frame(1, 3), 30);
    inbox.push(frame(4, 5), 20);
    expect(inbox.take(everything)).toEqual({
      firstSeq: 1,
      bodies: bodies.slice(0, 5),
      hashes: hashes.slice(0, 5),
      creditBytes: 50,
    });
    expect(inbox.take(everything)).toBeUndefined();
  });

  it('skips what it has, and the part of a frame that it has', () => {
    const inbox = new Inbox(position(3));
    expect(inbox.push(frame(1, 3), 10)).toBe('duplicate');
    expect(inbox.push(frame(2, 6), 10)).toBe('accepted');
    expect(inbox.take(everything)).toMatchObject({ firstSeq: 4, bodies: bodies.slice(3, 6) });
  });

  it('takes nothing after a gap', () => {
    const inbox = new Inbox(position(3));
    expect(inbox.push(frame(5, 6), 10)).toBe('gap');
    expect(inbox.received).toBe(3);
    expect(inbox.push(frame(4, 6), 10)).toBe('accepted');
  });

  it('takes nothing of a frame in which one bit is another', () => {
    for (let event = 0; event < 3; event += 1) {
      const inbox = new Inbox(position(0));
      const sent = frame(1, 3);
      const altered = sent.bodies.map((body, i) =>
        i === event ? Buffer.from(body.map((byte, at) => (at === 0 ? byte ^ 1 : byte))) : body,
      );
      expect(inbox.push({ ...sent, bodies: altered }, 10)).toBe('broken');
      expect(inbox.take(everything)).toBeUndefined();
    }
  });

  it('merges up to the bytes allowed, but takes one frame however large it is', () => {
    const inbox = new Inbox(position(0));
    inbox.push(frame(1, 2), 500);
    inbox.push(frame(3, 4), 40);
    inbox.push(frame(5, 6), 40);
    inbox.push(frame(7, 8), 40);
    const limit = { ...everything, bytesMax: 100 };
    expect(inbox.take(limit)).toMatchObject({ firstSeq: 1, creditBytes: 500 });
    expect(inbox.take(limit)).toMatchObject({ firstSeq: 3, creditBytes: 80 });
    expect(inbox.take(limit)).toMatchObject({ firstSeq: 7, creditBytes: 40 });
  });

  it('stops at exactly the seq it is told, and goes on after it', () => {
    const inbox = new Inbox(position(0));
    inbox.push(frame(1, 10), 100);
    expect(inbox.take({ ...everything, seqMax: 4 })?.bodies).toEqual(bodies.slice(0, 4));
    expect(inbox.take({ ...everything, seqMax: 4 })).toBeUndefined();
    expect(inbox.take(everything)).toMatchObject({ firstSeq: 5, bodies: bodies.slice(4, 10) });
  });

  it('gives everything back once, and all its credit, however it came and is taken', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 39 }), { maxLength: 8 });
    const limits = fc.record({
      eventsMax: fc.integer({ min: 1, max: 7 }),
      bytesMax: fc.integer({ min: 1, max: 50 }),
      seqMax: fc.constant(Infinity),
    });
    fc.assert(
      fc.property(cuts, fc.integer({ min: 0, max: 5 }), limits, (cuts, overlap, limit) => {
        const inbox = new Inbox(position(0));
        const ends = [...cuts.sort((a, b) => a - b), 40];
        let first = 1;
        for (const end of ends) {
          inbox.push(frame(Math.max(1, first - overlap), end), 10);
          first = end + 1;
        }
        const taken: Buffer[] = [];
        let credit = 0;
        for (let batch = inbox.take(limit); batch; batch = inbox.take(limit)) {
          expect(batch.firstSeq).toBe(taken.length + 1);
          expect(batch.bodies.length).toBeLessThanOrEqual(limit.eventsMax);
          taken.push(...batch.bodies);
          credit += batch.creditBytes;
        }
        expect(taken).toEqual(bodies);
        expect(credit).toBe(10 * ends.length);
      }),
    );
  });
});
