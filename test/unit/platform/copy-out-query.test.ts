import { describe, expect, it } from 'vitest';
import { CopyOutQuery } from '../../../services/platform/postgres/copy-out-query.ts';

function message(type: string, content: string): Buffer {
  const head = Buffer.alloc(5, type);
  head.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([head, Buffer.from(content)]);
}

const rows = ['', 'one\n', '\\N\ttwo\n', 'd\0\0\0\u0008looks like a message\n', 'end\n'];
const copy = [
  message('H', '\0\0\0'),
  message('d', rows[1] ?? ''),
  message('N', 'a notice'),
  ...rows.slice(2).map((row) => message('d', row)),
];

/** What a query hands on, and what it gives back to the driver, of bytes that come in these chunks. */
async function read(chunks: readonly Buffer[]): Promise<{ text: string; back: Buffer }> {
  const query = new CopyOutQuery('');
  const kept: Buffer[] = [];
  Object.assign(query, { _buffer: { push: (bytes: Buffer) => kept.push(Buffer.from(bytes)) } });
  Object.assign(query, { _detach: () => undefined, _read: () => undefined });
  for (const chunk of chunks) query._parse(Buffer.from(chunk));
  const text: Buffer[] = [];
  for await (const piece of query) text.push(piece as Buffer);
  return { text: Buffer.concat(text).toString(), back: Buffer.concat(kept) };
}

describe('a COPY TO STDOUT', () => {
  it('is the same wherever the bytes of its messages are cut', async () => {
    const done = Buffer.concat([message('c', ''), message('C', 'COPY 4'), message('Z', 'I')]);
    const bytes = Buffer.concat([...copy, done]);
    const end = bytes.length - done.length;
    for (let at = 0; at <= end; at += 1) {
      for (const next of [at + 1, at + 4, bytes.length]) {
        const chunks = [bytes.subarray(0, at), bytes.subarray(at, next), bytes.subarray(next)];
        const { text, back } = await read(next > end ? [chunks[0] ?? bytes, bytes.subarray(at)] : chunks);
        expect(text).toBe(rows.join(''));
        expect(back).toEqual(done);
      }
    }
  });

  it('gives an error back to the driver whole', () => {
    const query = new CopyOutQuery('');
    const kept: Buffer[] = [];
    Object.assign(query, {
      _buffer: { push: (bytes: Buffer) => kept.push(bytes) },
      _detach: () => undefined,
    });
    const error = message('E', 'Sdivision by zero');
    expect(query._parse(Buffer.concat([...copy, error]))).toBe(false);
    expect(Buffer.concat(kept)).toEqual(error);
  });
});
