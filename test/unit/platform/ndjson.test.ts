import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { array, assert, asyncProperty, constantFrom, integer, jsonValue, oneof } from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ndjsonStream, readNdjson, splitLines } from '../../../services/platform/http/ndjson.ts';

async function* chunked(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (let i = 0; start < bytes.length; i++) {
    const end = start + (sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}

const one = (text: string) => chunked(Buffer.from(text), [text.length]);

/** Texts of characters that JSON escapes or UTF-8 spreads over several bytes. */
const text = array(constantFrom('a', '"', '\\', '\n', '\r', 'é', '漢', '🙂', '\u2028')).map((characters) =>
  characters.join(''),
);

test('values come out as they went in, wherever the chunks are cut', async () => {
  const sizes = array(integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
  await assert(
    asyncProperty(array(oneof(jsonValue({ maxDepth: 2 }), text)), sizes, async (values, chunkSizes) => {
      const sent = (await Array.fromAsync(ndjsonStream(values))).join('');
      const read = await Array.fromAsync(readNdjson(chunked(Buffer.from(sent), chunkSizes), z.unknown()));
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

test('what is there is sent together, what has to be waited for holds nothing back', async () => {
  const later = Promise.withResolvers<void>();
  async function* values(): AsyncGenerator<number> {
    yield* [1, 2, 3];
    await later.promise;
    yield 4;
  }
  const chunks: string[] = [];
  for await (const chunk of ndjsonStream(values()) as AsyncIterable<Buffer>) {
    chunks.push(chunk.toString());
    later.resolve();
  }
  expect(chunks).toEqual(['1\n2\n3\n', '4\n']);
});

test('a slow reader holds the source back', async () => {
  let taken = 0;
  function* values(): Generator<string> {
    for (; taken < 10_000; taken++) yield 'x'.repeat(1_000);
  }
  const stream = ndjsonStream(values());
  await once(stream, 'readable');
  for (let turns = 0; turns < 100; turns++) await setImmediate();
  expect(taken).toBeLessThan(1_000);
  stream.destroy();
});

test('a source that never waits leaves turns of the event loop to others', async () => {
  function* values(): Generator<string> {
    for (let n = 0; n < 1_000; n++) yield 'x'.repeat(1_000);
  }
  let turns = 0;
  const ended = new AbortController();
  const counting = (async () => {
    for (; !ended.signal.aborted; turns++) await setImmediate();
  })();
  await Array.fromAsync(ndjsonStream(values()));
  ended.abort();
  await counting;
  expect(turns).toBeGreaterThan(10);
});

test('a failing source fails the stream, a destroyed stream ends its source', async () => {
  async function* failing(): AsyncGenerator<number> {
    yield 1;
    throw new Error('source');
  }
  await expect(Array.fromAsync(ndjsonStream(failing()))).rejects.toThrow('source');

  const ended = Promise.withResolvers<string>();
  async function* endless(): AsyncGenerator<number> {
    try {
      for (;;) yield 1;
    } finally {
      ended.resolve('ended');
    }
  }
  const stream = ndjsonStream(endless());
  await once(stream, 'readable');
  stream.destroy();
  expect(await ended.promise).toBe('ended');
});
