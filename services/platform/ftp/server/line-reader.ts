/** A line of a control connection that is longer than allowed. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

/**
 * Cuts the bytes of a control connection into lines, however they were cut into packets.
 *
 * Invariant: never keeps more than `lineBytesMax` bytes of an unfinished line.
 */
export class LineReader {
  readonly #lineBytesMax: number;
  #unfinished = '';

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /**
   * The lines that `chunk` completes, without their ends (CR LF, or LF). One character per byte: a caller that
   * wants ASCII only checks for it.
   *
   * @throws LineTooLongError; nothing more can be read then
   */
  push(chunk: Buffer): string[] {
    const parts = (this.#unfinished + chunk.toString('latin1')).split('\n');
    this.#unfinished = parts.pop() ?? '';
    const lines = parts.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    if ([...lines, this.#unfinished].some((line) => line.length > this.#lineBytesMax)) {
      throw new LineTooLongError(`a line of more than ${this.#lineBytesMax} bytes`);
    }
    return lines;
  }
}
