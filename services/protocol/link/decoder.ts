import { DualhomeError } from '../errors/index.ts';
import { frameBytesMax } from './limits.ts';

/** One frame as it came: its type byte and what follows it. */
export type RawFrame = { readonly type: number; readonly payload: Buffer };

const lengthBytes = 4;

/**
 * Cuts a byte stream into frames: u32 length (of what follows it), u8 type, payload.
 *
 * Invariant: keeps at most one incomplete frame, in one buffer of its announced length, which is at
 * most `bytesMax`; in how many pieces it arrives does not matter.
 */
export class FrameDecoder {
  /** Applies to frames that have not begun yet. */
  bytesMax: number;
  readonly #length = Buffer.alloc(lengthBytes);
  #lengthFilled = 0;
  #frame: Buffer | undefined;
  #frameFilled = 0;

  constructor(bytesMax = frameBytesMax) {
    this.bytesMax = bytesMax;
  }

  /**
   * The frames that `chunk` completes, one by one; take them all before the next chunk. A frame that
   * lies whole in the chunk is a slice of it.
   *
   * @throws LINK_FRAME_INVALID for a length of zero or beyond the limit
   */
  *push(chunk: Buffer): Generator<RawFrame> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#frame === undefined) {
        rest = this.#fillLength(rest);
        if (this.#lengthFilled < lengthBytes) return;
        const length = this.#takeLength();
        if (rest.length < length) this.#frame = Buffer.allocUnsafeSlow(length);
        else {
          yield toFrame(rest.subarray(0, length));
          rest = rest.subarray(length);
        }
      } else {
        rest = this.#fillFrame(this.#frame, rest);
        if (this.#frameFilled === this.#frame.length) yield this.#takeFrame(this.#frame);
      }
    }
  }

  #fillLength(chunk: Buffer): Buffer {
    const copied = chunk.copy(this.#length, this.#lengthFilled);
    this.#lengthFilled += copied;
    return chunk.subarray(copied);
  }

  #takeLength(): number {
    const length = this.#length.readUInt32BE(0);
    if (length < 1 || length > this.bytesMax) {
      throw new DualhomeError('LINK_FRAME_INVALID', {
        detail: `a frame of ${length} bytes, 1 to ${this.bytesMax} are possible`,
      });
    }
    this.#lengthFilled = 0;
    return length;
  }

  #fillFrame(frame: Buffer, chunk: Buffer): Buffer {
    const copied = chunk.copy(frame, this.#frameFilled);
    this.#frameFilled += copied;
    return chunk.subarray(copied);
  }

  #takeFrame(frame: Buffer): RawFrame {
    this.#frame = undefined;
    this.#frameFilled = 0;
    return toFrame(frame);
  }
}

function toFrame(frame: Buffer): RawFrame {
  return { type: frame.readUInt8(0), payload: frame.subarray(1) };
}
