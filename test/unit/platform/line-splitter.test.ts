import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../services/platform/stream/line-splitter.ts';
import type { Line } from '../../../services/platform/stream/line-splitter.ts';

function split(chunks: readonly Buffer[], bytesMax = 10, passedOverMax = 100): readonly Line[] {
  const splitter = new LineSplitter({ bytesMax, passedOverMax, giveUpWith: 'API_BODY_TOO_LARGE' });
  return [...chunks.flatMap((chunk) => [...splitter.push(chunk)]), ...splitter.end()];
}

const lines = (text: string) => split([Buffer.from(text)]);

describe('lines of a stream', () => {
  it('end with a line feed, with or without a carriage return; the last one needs none', () => {
    expect(lines('a\r\n\nb')).toEqual([
      { number: 1, text: 'a' },
      { number: 2, text: '' },
      { number: 3, text: 'b' },
    ]);
  });

  it('that are too long or not UTF-8 are told, and those behind them are read', () => {
    const bytes = Buffer.concat([
      Buffer.from(`${'x'.repeat(11)}\n`),
      Buffer.from([0xff, 0x0a]),
      Buffer.from('ok\n'),
    ]);
    expect(split([bytes])).toEqual([
      { number: 1, fault: 'longer than 10 bytes' },
      { number: 2, fault: 'not UTF-8' },
      { number: 3, text: 'ok' },
    ]);
  });

  it('that never end give the stream up', () => {
    const chunks = Array.from({ length: 11 }, () => Buffer.alloc(10, 0x78));
    expect(() => split(chunks)).toThrow('API_BODY_TOO_LARGE');
  });

  it('are the same however the bytes are cut', () => {
    const text = fc.array(fc.constantFrom('a', 'é', '\n', '\r\n', '😀', 'long text '), { maxLength: 40 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(6), { maxLength: 60 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const length of cuts) chunks.push(bytes.subarray(at, (at += length)));
        chunks.push(bytes.subarray(at));
        expect(split(chunks, 10, 1_000)).toEqual(split([bytes], 10, 1_000));
      }),
    );
  });
});
