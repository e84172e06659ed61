/** Whole rows of COPY text, in the pieces in which they came. */
export type Rows = { readonly pieces: readonly Buffer[]; readonly bytes: number; readonly rows: number };

const newline = 0x0a;

/**
 * Cuts COPY text into parts of whole rows, each ended by the first row that reaches `bytesMin`. In text COPY a
 * newline byte always ends a row: within values it is written `\n`.
 */
export async function* cutRows(source: AsyncIterable<Buffer>, bytesMin: number): AsyncGenerator<Rows> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of source) {
    const end = bytes + piece.length >= bytesMin ? piece.lastIndexOf(newline) + 1 : 0;
    if (end === 0) {
      pieces.push(piece);
      bytes += piece.length;
      continue;
    }
    pieces.push(piece.subarray(0, end));
    yield rowsOf(pieces);
    const rest = piece.subarray(end);
    pieces = rest.length > 0 ? [rest] : [];
    bytes = rest.length;
  }
  if (bytes > 0) yield rowsOf(pieces);
}

function rowsOf(pieces: readonly Buffer[]): Rows {
  let bytes = 0;
  let rows = 0;
  for (const piece of pieces) {
    bytes += piece.length;
    for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, at + 1)) rows += 1;
  }
  return { pieces, bytes, rows };
}
