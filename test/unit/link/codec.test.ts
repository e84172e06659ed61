import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeControl, encodeHead } from '../../../services/protocol/link/codec.ts';
import { FrameDecoder } from '../../../services/protocol/link/decoder.ts';
import type { RawFrame } from '../../../services/protocol/link/decoder.ts';
import { decodeEvents, encodeEventsHead } from '../../../services/protocol/link/events-frame.ts';
import { FrameType } from '../../../services/protocol/link/frame.ts';
import { isDualhomeError } from '../../../services/protocol/errors/index.ts';

/** Feeds `bytes` in pieces cut at `cuts`. */
function feed(decoder: FrameDecoder, bytes: Buffer, cuts: readonly number[]): RawFrame[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).flatMap((end, i) => [...decoder.push(bytes.subarray(at[i], end))]);
}

const rawFrame = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

const encodeRaw = ({ type, payload }: RawFrame): Buffer =>
  Buffer.concat([encodeHead(type as FrameType, payload.length), payload]);

/** Runs `decode` and says whether it ended as a decoder may: with a value, or with LINK_FRAME_INVALID. */
function endsProperly(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    return isDualhomeError(error, 'LINK_FRAME_INVALID');
  }
}

describe('frame decoder', () => {
  it('finds the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(rawFrame, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(encodeRaw));
          expect(feed(new FrameDecoder(), bytes, cuts)).toEqual(frames);
        },
      ),
    );
  });

  it('finds frames in a stream that comes byte by byte', () => {
    const bytes = Buffer.concat([
      encodeControl('bye', { code: 'X', detail: '' }),
      encodeRaw({ type: 9, payload: Buffer.alloc(0) }),
    ]);
    const decoder = new FrameDecoder();
    const frames = [...bytes].flatMap((byte) => [...decoder.push(Buffer.from([byte]))]);
    expect(frames.map(({ type }) => type)).toEqual([FrameType.bye, 9]);
  });

  it('refuses a length of zero and one beyond the limit before anything follows', () => {
    expect(() => [...new FrameDecoder().push(Buffer.from([0, 0, 0, 0]))]).toThrow('LINK_FRAME_INVALID');
    expect(() => [...new FrameDecoder(10).push(Buffer.from([0, 0, 0, 11]))]).toThrow('LINK_FRAME_INVALID');
    expect([...new FrameDecoder(10).push(Buffer.from([0, 0, 0, 10]))]).toEqual([]);
  });

  it('survives any garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
        const decoder = new FrameDecoder(1024);
        return endsProperly(() => feed(decoder, Buffer.from(bytes), cuts).map(decodeFrame));
      }),
    );
  });

  it('survives any payload of any type', () => {
    fc.assert(fc.property(rawFrame, (frame) => endsProperly(() => decodeFrame(frame))));
  });

  it('survives any JSON as a control frame', () => {
    const type = fc.constantFrom(...Object.values(FrameType));
    fc.assert(
      fc.property(type, fc.json(), (type, json) =>
        endsProperly(() => decodeFrame({ type, payload: Buffer.from(json) })),
      ),
    );
  });
});

/** An EVENTS payload as the sender's database packs it. */
function packed(firstSeq: number, bodies: readonly Buffer[], lastHash = Buffer.alloc(32, 7)): Buffer {
  const head = encodeEventsHead({ log: 'configuration', firstSeq, count: bodies.length, lastHash });
  const lengths = bodies.map((body) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return length;
  });
  return Buffer.concat([head, ...bodies.flatMap((body, i) => [lengths[i] ?? Buffer.alloc(0), body])]);
}

describe('EVENTS', () => {
  const bodies = fc.array(
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    { minLength: 1, maxLength: 20 },
  );

  it('carries the bytes of the bodies unchanged', () => {
    fc.assert(
      fc.property(bodies, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (bodies, firstSeq) => {
        const frame = decodeEvents(packed(firstSeq, bodies));
        expect(frame).toEqual({ log: 'configuration', firstSeq, bodies, lastHash: Buffer.alloc(32, 7) });
      }),
    );
  });

  it('refuses a frame with one byte cut off or added', () => {
    const payload = packed(1, [Buffer.from('one'), Buffer.from('two')]);
    for (let end = 0; end < payload.length; end += 1) {
      expect(() => decodeEvents(payload.subarray(0, end))).toThrow('LINK_FRAME_INVALID');
    }
    expect(() => decodeEvents(Buffer.concat([payload, Buffer.alloc(1)]))).toThrow('LINK_FRAME_INVALID');
  });
});
