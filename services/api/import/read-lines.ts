import { DualhomeError } from '../../protocol/errors/index.ts';
import { LineSplitter } from '../../platform/stream/line-splitter.ts';
import type { Line } from '../../platform/stream/line-splitter.ts';
import type { NumberedText } from './decoder.ts';

/** Longest line of an import; the largest row takes a few thousand bytes. */
const lineBytesMax = 65_536;
const passedOverMax = 16 * 1_048_576;

/** Text of one batch; its event, with the rows as they were, is larger. */
const batchBytesMax = 262_144;

export type BatchLimits = {
  /** Lines before it are passed over, apart from a header. */
  readonly fromLine: number;
  readonly batchRows: number;
  /** Whether line 1 names the fields. */
  readonly hasHeader: boolean;
};

export type LineBatch = { readonly header: string | undefined; readonly lines: readonly NumberedText[] };

/** Cuts bytes into batches of lines, blank ones left out. @throws API_REQUEST_INVALID for a line that cannot be read */
export async function* readLineBatches(
  chunks: AsyncIterable<Buffer>,
  { fromLine, batchRows, hasHeader }: BatchLimits,
): AsyncGenerator<LineBatch> {
  let header: string | undefined;
  let lines: NumberedText[] = [];
  let bytes = 0;
  for await (const line of readLines(chunks)) {
    if ('fault' in line) {
      throw new DualhomeError('API_REQUEST_INVALID', { detail: `line ${line.number}: ${line.fault}` });
    }
    if (hasHeader && line.number === 1) {
      header = line.text;
      continue;
    }
    if (line.number < fromLine || line.text.trim() === '') continue;
    lines.push(line);
    bytes += line.text.length;
    if (lines.length < batchRows && bytes < batchBytesMax) continue;
    yield { header, lines };
    lines = [];
    bytes = 0;
  }
  if (lines.length > 0) yield { header, lines };
}

async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  const splitter = new LineSplitter({
    bytesMax: lineBytesMax,
    passedOverMax,
    giveUpWith: 'API_BODY_TOO_LARGE',
  });
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.end();
}
