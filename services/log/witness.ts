import { setTimeout as sleep } from 'node:timers/promises';
import { positionFromJson, positionSchema, positionToJson } from '../protocol/link/position-json.ts';
import type { Position } from '../protocol/position.ts';
import { samePosition } from '../protocol/position.ts';
import { isAbortOf } from '../platform/lifecycle/abort.ts';
import { readJsonFile, writeJsonFile } from '../platform/files/json.ts';

const WRITE_INTERVAL_MS = 1_000;

/** The position that was last witnessed; undefined where there is no file. @throws FILES_UNREADABLE, FILES_INVALID */
export async function readWitness(path: string): Promise<Position | undefined> {
  const witness = await readJsonFile(path, positionSchema);
  return witness && positionFromJson(witness);
}

export type WitnessOptions = {
  readonly path: string;
  /** The durable head of the log. */
  readonly head: () => Position;
  readonly onError: (error: unknown) => void;
};

/**
 * Keeps the head of a log in a file outside its database, at most a second old and exact after a stop, so that a
 * database that is emptied or rolled back is noticed.
 */
export class Witness implements AsyncDisposable {
  readonly #options: WitnessOptions;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #written: Position | undefined;

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#done;
    await this.#write();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#write();
      await sleep(WRITE_INTERVAL_MS, undefined, { signal }).catch((error: unknown) => {
        if (!isAbortOf(signal, error)) throw error;
      });
    }
  }

  async #write(): Promise<void> {
    const head = this.#options.head();
    if (this.#written && samePosition(this.#written, head)) return;
    try {
      await writeJsonFile(this.#options.path, positionToJson(head));
      this.#written = head;
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
