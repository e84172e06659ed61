/** Whole rows of COPY text. */
export type Rows = { readonly text: Buffer; readonly rows: number };

const newline = 0x0a;

/**
 * Cuts COPY text into parts of whole rows, of at most `bytesMax`, or twice that (and again) where one row is longer. In text
 * COPY a newline byte always ends a row: within values it is written `\n`.
 *
 * The pieces are copied together at once, into buffers that `release` gives back for reuse: kept, they would
 * outlive the young garbage, and a long COPY would take twice the memory.
 */
export class RowCutter {
  readonly #bytesMax: number;
  readonly #free: Buffer[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  async *cut(source: AsyncIterable<Buffer>): AsyncGenerator<Rows> {
    let text = this.#take();
    let bytes = 0;
    for await (const piece of source) {
      for (let at = 0; at < piece.length;) {
        const copied = piece.copy(text, bytes, at);
        at += copied;
        bytes += copied;
        if (bytes < text.length) continue;
        const end = text.lastIndexOf(newline) + 1;
        const rest = text.subarray(end);
        const next = this.#take(2 * rest.length);
        bytes = rest.copy(next);
        if (end > 0) yield rowsOf(text.subarray(0, end));
        text = next;
      }
    }
    if (bytes > 0) yield rowsOf(text.subarray(0, bytes));
  }

  /** Says that rows that were cut are needed no more. */
  release({ text }: Rows): void {
    if (text.buffer.byteLength === this.#bytesMax) this.#free.push(Buffer.from(text.buffer));
  }

  #take(bytesMin = 0): Buffer {
    if (bytesMin > this.#bytesMax) return Buffer.allocUnsafeSlow(bytesMin);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytesMax);
  }
}

function rowsOf(text: Buffer): Rows {
  let rows = 0;
  for (let at = text.indexOf(newline); at !== -1; at = text.indexOf(newline, at + 1)) rows += 1;
  return { text, rows };
}
