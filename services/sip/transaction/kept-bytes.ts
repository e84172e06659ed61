const chunkBytes = 16_384;

/**
 * Copies of messages that may have to be sent again, many to a chunk of memory: one buffer each costs more to allocate and
 * to collect than to fill. What shares a chunk is of about the same age, and is let go of at about the same time.
 *
 * Invariant: nobody else writes into a chunk.
 */
export class KeptBytes {
  #chunk = Buffer.alloc(0);
  #used = 0;

  copyOf(bytes: Buffer): Buffer {
    if (bytes.length > this.#chunk.length - this.#used) {
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes.length));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += bytes.copy(this.#chunk, start);
    return this.#chunk.subarray(start, this.#used);
  }
}
