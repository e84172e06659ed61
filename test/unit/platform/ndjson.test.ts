import { array, assert, asyncProperty, integer, jsonValue } from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readNdjson, splitLines, toNdjson } from '../../../services/platform/http/ndjson.ts';

async function* chunked(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (let i = 0; start < bytes.length; i++) {
    const end = start + (sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}

const one = (text: string) => chunked(Buffer.from(text), [text.length]);

test('values come out as they went in, wherever the chunks are cut', async () => {
  const sizes = array(integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
  await assert(
    asyncProperty(array(jsonValue({ noUnicodeString: false })), sizes, async (values, chunkSizes) => {
      const text = (await Array.fromAsync(toNdjson(values))).join('');
      const read = await Array.fromAsync(readNdjson(chunked(Buffer.from(text), chunkSizes), z.unknown()));
      expect(JSON.stringify(read)).toBe(JSON.stringify(values));
    }),
  );
});

test('a last line needs no end, empty lines and carriage returns do not count', async () => {
  expect(await Array.fromAsync(splitLines(one('1\r\n\n  \n2')))).toEqual(['1', '2']);
});

test('a line over the limit is refused before it is complete', async () => {
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) yield Buffer.alloc(10, 'x');
  }
  await expect(Array.fromAsync(splitLines(endless(), 100))).rejects.toThrow('API_BODY_TOO_LARGE');
});

test('a line that does not fit is named, after those before it were read', async () => {
  const read: unknown[] = [];
  const reading = (async () => {
    for await (const value of readNdjson(one('{"a":1}\n{"a":"x"}\n'), z.object({ a: z.int() })))
      read.push(value);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'API_REQUEST_INVALID', facts: { line: 2 } });
  expect(read).toEqual([{ a: 1 }]);
});

test('what is not JSON is refused in the name of its sender', async () => {
  const answer = readNdjson(one('nonsense'), z.unknown(), { invalid: 'API_ANSWER_INVALID' });
  await expect(Array.fromAsync(answer)).rejects.toThrow('API_ANSWER_INVALID: line 1: not JSON');
});
