import { appendFile, rename, stat } from 'node:fs/promises';
import { messageOf } from '../../protocol/errors/index.ts';

export type RotatedLinesOptions = {
  readonly path: string;
  /** A file that has grown beyond this becomes `path.1`, and so on. */
  readonly fileBytesMax: number;
  /** Old files kept beside the current one. */
  readonly oldFilesMax: number;
  readonly onProblem: (reason: string) => void;
};

const waitingBytesMax = 4 * 1_048_576;

/**
 * Appends lines to a file that is renamed when it is full. Lines written in one turn of the event loop, and those that
 * come while the disk is busy, are appended at once.
 *
 * Invariant: lines stand in the order of `write`, whole. What waits for a disk that is too slow is bounded; beyond that
 * lines are left out and reported.
 */
export class RotatedLines implements AsyncDisposable {
  readonly #options: RotatedLinesOptions;
  #waiting = '';
  #writing: Promise<void> | undefined;
  #fileBytes: number | undefined;

  constructor(options: RotatedLinesOptions) {
    this.#options = options;
  }

  write(line: string): void {
    if (this.#waiting.length > waitingBytesMax) return this.#options.onProblem('the disk is too slow');
    this.#waiting += `${line}\n`;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when what was written is in the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting !== '') {
      const lines = this.#waiting;
      this.#waiting = '';
      await this.#append(lines).catch((error: unknown) => this.#options.onProblem(messageOf(error)));
    }
    this.#writing = undefined;
  }

  async #append(lines: string): Promise<void> {
    const { path, fileBytesMax } = this.#options;
    this.#fileBytes ??= await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
    if (this.#fileBytes > fileBytesMax) await this.#rotate();
    await appendFile(path, lines, { mode: 0o640 });
    this.#fileBytes += Buffer.byteLength(lines);
  }

  async #rotate(): Promise<void> {
    const { path, oldFilesMax } = this.#options;
    for (let number = oldFilesMax; number > 0; number--) {
      const from = number === 1 ? path : `${path}.${number - 1}`;
      await rename(from, `${path}.${number}`).catch(() => undefined);
    }
    this.#fileBytes = 0;
  }
}
