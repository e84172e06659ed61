import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowCutter } from '../../../services/log/snapshot/cut-rows.ts';

async function* stream(text: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    if (at < text.length) yield text.subarray(at, at + size);
    at += size;
  }
  if (at < text.length) yield text.subarray(at);
}

describe('cutting COPY text', () => {
  it('gives whole rows, all of them and in order, however the text arrives and is cut', async () => {
    const rows = fc.array(fc.string({ unit: fc.constantFrom('a', 'ö', '\\n', '\t'), maxLength: 20 }), {
      maxLength: 30,
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(rows, sizes, fc.integer({ min: 1, max: 100 }), async (lines, pieces, bytesMax) => {
        const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const cutter = new RowCutter(bytesMax);
        const parts: Buffer[] = [];
        let count = 0;
        for await (const part of cutter.cut(stream(text, pieces))) {
          expect(part.text.at(-1)).toBe(0x0a);
          const longest = Math.max(...lines.map((line) => Buffer.byteLength(line) + 1));
          expect(part.text.length).toBeLessThanOrEqual(Math.max(bytesMax, 2 * longest));
          parts.push(Buffer.from(part.text));
          count += part.rows;
          cutter.release(part);
        }
        expect(Buffer.concat(parts)).toEqual(text);
        expect(count).toBe(lines.length);
      }),
    );
  });
});
