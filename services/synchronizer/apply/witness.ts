import { join } from 'node:path';
import { positionFromJson, positionSchema, positionToJson } from '../../protocol/link/position-json.ts';
import type { LogName } from '../../protocol/names.ts';
import type { Position } from '../../protocol/position.ts';
import { readJsonFile, writeJsonFile } from '../../platform/files/json.ts';

/** Often enough to notice a restore, seldom enough to cost nothing. */
const writeEveryMs = 1_000;

/**
 * The last position acknowledged to the peer, kept outside the database it is about.
 *
 * Invariant: the file never names a position that was not committed; it may lag behind by a second.
 */
export class AckWitness implements AsyncDisposable {
  readonly #path: string;
  readonly #onError: (error: unknown) => void;
  #newest: Position | undefined;
  #written: Position | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string, peer: string, log: LogName, onError: (error: unknown) => void) {
    this.#path = join(directory, `${peer}-${log}.json`);
    this.#onError = onError;
  }

  /** @throws FILES_UNREADABLE, FILES_INVALID */
  async read(): Promise<Position | undefined> {
    if (!this.#newest) {
      const json = await readJsonFile(this.#path, positionSchema);
      this.#newest = json && positionFromJson(json);
    }
    return this.#newest;
  }

  /** A position was acknowledged; one below the newest is only a repetition. */
  record(position: Position): void {
    if (!this.#newest || position.seq > this.#newest.seq) this.replace(position);
  }

  /** The standby was moved on purpose: what was acknowledged before no longer counts. */
  replace(position: Position): void {
    this.#newest = position;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, writeEveryMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#write();
  }

  #write(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const position = this.#newest;
      if (!position || position === this.#written) return;
      await writeJsonFile(this.#path, positionToJson(position)).then(
        () => (this.#written = position),
        this.#onError,
      );
    });
    return this.#writing;
  }
}
