import { isUtf8 } from 'node:buffer';
import { DualhomeError } from '../../protocol/errors/index.ts';
import type { ErrorCode } from '../../protocol/errors/index.ts';

export type LineLimits = {
  /** Of one line; a longer one is passed over. */
  readonly bytesMax: number;
  /** Of a line that is passed over; beyond it the stream is given up. */
  readonly passedOverMax: number;
  /** With which error. */
  readonly giveUpWith: ErrorCode;
};

/** One line without its end, or why it cannot be read. Numbers begin with 1 and count every line. */
export type Line =
  { readonly number: number; readonly text: string } | { readonly number: number; readonly fault: string };

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Cuts bytes into lines, whatever they hold.
 *
 * Invariant: it never keeps more than `bytesMax` bytes.
 */
export class LineSplitter {
  readonly #limits: LineLimits;
  #parts: Buffer[] = [];
  #keptBytes = 0;
  #passedOver = 0;
  #number = 0;

  constructor(limits: LineLimits) {
    this.#limits = limits;
  }

  /** The lines that `chunk` completes. @throws what `giveUpWith` names */
  *push(chunk: Buffer): Generator<Line> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end));
      yield this.#complete();
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The last line, if the stream ended without a line end. */
  *end(): Generator<Line> {
    if (this.#keptBytes + this.#passedOver > 0) yield this.#complete();
  }

  #keep(part: Buffer): void {
    if (this.#passedOver === 0 && this.#keptBytes + part.length <= this.#limits.bytesMax) {
      this.#parts.push(part);
      this.#keptBytes += part.length;
      return;
    }
    this.#passedOver += this.#keptBytes + part.length;
    this.#parts = [];
    this.#keptBytes = 0;
    if (this.#passedOver <= this.#limits.passedOverMax) return;
    throw new DualhomeError(this.#limits.giveUpWith, {
      detail: `line ${this.#number + 1} does not end within ${this.#limits.passedOverMax} bytes`,
    });
  }

  #complete(): Line {
    const bytes = this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts);
    const tooLong = this.#passedOver > 0;
    this.#number += 1;
    this.#parts = [];
    this.#keptBytes = 0;
    this.#passedOver = 0;
    const number = this.#number;
    if (tooLong) return { number, fault: `longer than ${this.#limits.bytesMax} bytes` };
    if (!isUtf8(bytes)) return { number, fault: 'not UTF-8' };
    const length = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length;
    return { number, text: bytes.toString('utf8', 0, length) };
  }
}
