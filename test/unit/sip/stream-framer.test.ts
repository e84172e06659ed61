import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../../../services/sip/message/limits.ts';
import { StreamFramer } from '../../../services/sip/transport/stream-framer.ts';
import type { Frame } from '../../../services/sip/transport/stream-framer.ts';
import { aRequest, messageBytes, responseTo, torture } from '../../support/sip-messages.ts';

const limits = { ...defaultLimits, headBytesMax: 2_000, messageBytesMax: 3_000, messageMsMax: 1_000 };
const options = aRequest('OPTIONS').toBuffer();
const withBody = messageBytes(
  ['MESSAGE sip:b@example.com SIP/2.0', 'Via: SIP/2.0/TCP h;branch=z9hG4bK1', 'l: 12'],
  'a\r\n\r\nb\r\n\r\nc!',
);

/** Frames in short: a message's method or status and body, otherwise the kind. */
function brief(frames: readonly Frame[]): string[] {
  return frames.map((frame) => {
    if (frame.kind === 'broken') return `broken ${frame.refusal.status} ${frame.refusal.reason}`;
    if (frame.kind !== 'message') return frame.kind;
    const { message } = frame;
    const name = message.kind === 'request' ? message.method : message.status;
    return `${name} ${message.body.length}`;
  });
}

function frame(...chunks: (Buffer | string)[]): string[] {
  const framer = new StreamFramer(limits);
  return brief(chunks.flatMap((chunk) => framer.push(Buffer.from(chunk), 0)));
}

describe('a stream', () => {
  const stream = Buffer.concat([
    options,
    withBody,
    Buffer.from('\r\n\r\n'),
    responseTo(aRequest('INVITE'), 200).toBuffer(),
    Buffer.from('\r\n\r\n\r\n\r\n'),
    withBody,
  ]);
  const frames = ['OPTIONS 0', 'MESSAGE 12', 'ping', '200 0', 'ping', 'ping', 'MESSAGE 12'];

  test('is cut into its messages and pings', () => {
    expect(frame(stream)).toEqual(frames);
  });

  test('gives the same split at every byte, into two and into single bytes', () => {
    // A ping cut in two may also be taken for a pong, which nobody waits for who sent none.
    const withoutPongs = (list: string[]) => list.filter((entry) => entry !== 'pong');
    for (let at = 1; at < stream.length; at++) {
      expect(withoutPongs(frame(stream.subarray(0, at), stream.subarray(at))), `split at ${at}`).toEqual(
        frames,
      );
    }
    const bytes = [...stream].map((byte) => Buffer.from([byte]));
    expect(withoutPongs(frame(...bytes))).toEqual(frames);
  });

  test('carries bodies byte for byte, whatever chunks they come in', () => {
    const big = messageBytes(['MESSAGE sip:b@example.com SIP/2.0', 'l: 900'], 'x'.repeat(899) + 'y');
    const framer = new StreamFramer(limits);
    const [got] = [0, 1, 2].flatMap((i) => framer.push(big.subarray(i * 400, (i + 1) * 400), 0));
    expect(got?.kind === 'message' && got.message.toBuffer().equals(big)).toBe(true);
  });

  test('with a single CRLF between messages has a pong; one CRLF before a message is nothing', () => {
    expect(frame('\r\n')).toEqual(['pong']);
    expect(frame('\r\n\r\n\r\n')).toEqual(['ping', 'pong']);
    expect(frame('\r', '\n')).toEqual(['pong']);
    expect(frame(Buffer.concat([Buffer.from('\r\n'), options]))).toEqual(['pong', 'OPTIONS 0']);
    expect(frame(Buffer.concat([Buffer.from('\r\n'), options, Buffer.from('\r\n')]))).toEqual([
      'pong',
      'OPTIONS 0',
      'pong',
    ]);
  });
});

describe('a stream that cannot be read on is broken, once', () => {
  const start = 'OPTIONS sip:b@example.com SIP/2.0';
  test.each([
    ['no Content-Length', [start], 'broken 400 No Content-Length'],
    ['a negative one', [start, 'l: -1'], 'broken 400 Malformed Content-Length'],
    ['two of them', [start, 'l: 1', 'Content-Length: 1'], 'broken 400 More Than One Content-Length'],
    ['a body beyond the limit', [start, 'l: 3000'], 'broken 513 Message Too Large'],
    ['another protocol', ['<?xml version="1.0"?>', 'l: 1'], 'broken 400 Not SIP'],
  ])('%s', (_, lines, broken) => {
    const [first, ...others] = frame(messageBytes(lines), options);
    expect(first).toBe(broken);
    expect(others).toEqual([]);
  });

  test('a head without end', () => {
    const chunk = Buffer.from('X-Endless: x\r\n'.repeat(50));
    expect(frame(options.subarray(0, 40), chunk, chunk, chunk, chunk)).toEqual([
      'broken 513 Message Too Large',
    ]);
  });

  test('and hands over the request, so that it can be answered', () => {
    const framer = new StreamFramer(limits);
    const [broken] = framer.push(torture('ncl'), 0);
    expect(broken?.kind === 'broken' && broken.request?.method).toBe('INVITE');
  });

  test('a message malformed otherwise is handed on, for its end is known', () => {
    expect(frame(messageBytes([start, 'oops', 'l: 0']), options)).toEqual(['OPTIONS 0', 'OPTIONS 0']);
  });
});

describe('a slow sender', () => {
  test('is overdue when a message takes too long, and only then', () => {
    const framer = new StreamFramer(limits);
    framer.push(options, 0);
    expect(framer.isOverdue(10_000)).toBe(false);
    framer.push(options.subarray(0, 10), 10_000);
    framer.push(options.subarray(10, 20), 10_900);
    expect(framer.isOverdue(11_000)).toBe(false);
    expect(framer.isOverdue(11_001)).toBe(true);
    framer.push(options.subarray(20), 11_002);
    expect(framer.isOverdue(20_000)).toBe(false);
  });

  test('of single bytes costs no more searching than its bytes', () => {
    const framer = new StreamFramer({ ...limits, headBytesMax: 1_000_000, messageBytesMax: 2_000_000 });
    const head = Buffer.from(
      `OPTIONS sip:b@example.com SIP/2.0\r\nX: ${'x'.repeat(100_000)}\r\nl: 0\r\n\r\n`,
    );
    const frames: Frame[] = [];
    for (let i = 0; i < head.length; i++) frames.push(...framer.push(head.subarray(i, i + 1), 0));
    expect(brief(frames)).toEqual(['OPTIONS 0']);
  });
});
