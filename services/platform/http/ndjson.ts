import { pipeline, Readable, Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import type { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { parseJson } from './parse-json.ts';

/** Media type of newline-delimited JSON: one JSON value per line. */
export const ndjsonType = 'application/x-ndjson';

/** Longest line that is read. */
export const lineBytesMax = 1_048_576;

const newline = 0x0a;

/** Splits bytes into lines without their ends; empty lines are left out. @throws API_BODY_TOO_LARGE */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number = lineBytesMax,
): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      yield* lineOf(bytes.subarray(start, end), maxBytes);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > maxBytes) throw tooLong(maxBytes);
  }
  yield* lineOf(rest, maxBytes);
}

export type ReadOptions = {
  readonly maxBytes?: number | undefined;
  /** What a line that does not fit is called: the sender of the bytes is at fault. */
  readonly invalid?: 'API_REQUEST_INVALID' | 'API_ANSWER_INVALID' | undefined;
};

/** The values of an NDJSON stream, each checked. @throws API_BODY_TOO_LARGE, and as `invalid` says */
export async function* readNdjson<T>(
  chunks: AsyncIterable<Uint8Array>,
  schema: z.ZodType<T>,
  { maxBytes = lineBytesMax, invalid = 'API_REQUEST_INVALID' }: ReadOptions = {},
): AsyncGenerator<T> {
  let lineNumber = 0;
  for await (const line of splitLines(chunks, maxBytes)) {
    lineNumber += 1;
    const value = parseJson(line, schema);
    if (!value.ok) {
      const facts = { line: lineNumber };
      throw new DualhomeError(invalid, { detail: `line ${lineNumber}: ${value.reason}`, facts });
    }
    yield value.value;
  }
}

/**
 * NDJSON text of the values as a stream. What is there within one turn of the event loop is sent together; what
 * has to be waited for holds nothing back. Destroying the stream ends the iteration.
 */
export function ndjsonStream(values: AsyncIterable<unknown> | Iterable<unknown>): Readable {
  // A failure destroys the returned stream with it, so there is nothing left to say here.
  return pipeline(Readable.from(linesOf(values)), new TurnBatches(), () => undefined);
}

async function* linesOf(values: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}

/** Longest text that is collected before it is handed on, in characters. */
const batchCharsMax = 65_536;

/**
 * Joins the texts of one turn of the event loop: a chunk per line would cost more than the line.
 *
 * Invariant: at most one batch per turn, so that a source that never waits leaves room for everything else.
 */
class TurnBatches extends Transform {
  #batch = '';
  #endOfTurn: NodeJS.Immediate | undefined;
  #full: TransformCallback | undefined;

  constructor() {
    super({ writableObjectMode: true });
  }

  override _transform(text: string, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#batch += text;
    this.#endOfTurn ??= setImmediate(() => this.#handOn());
    if (this.#batch.length < batchCharsMax) done();
    else this.#full = done;
  }

  override _flush(done: TransformCallback): void {
    this.#handOn();
    done();
  }

  #handOn(): void {
    clearImmediate(this.#endOfTurn);
    this.#endOfTurn = undefined;
    if (this.#batch !== '' && !this.destroyed) this.push(this.#batch);
    this.#batch = '';
    const full = this.#full;
    this.#full = undefined;
    full?.();
  }
}

function* lineOf(bytes: Buffer, maxBytes: number): Generator<string> {
  if (bytes.length > maxBytes) throw tooLong(maxBytes);
  const line = bytes.toString('utf8').trim();
  if (line !== '') yield line;
}

function tooLong(maxBytes: number): DualhomeError {
  return new DualhomeError('API_BODY_TOO_LARGE', { detail: `a line is longer than ${maxBytes} bytes` });
}
