import type { ChunkFile } from '../../log/snapshot/import.ts';

/** Chunks that have arrived, for one reader; a chunk told twice is read once. */
export class ChunkQueue implements AsyncIterable<ChunkFile> {
  readonly #known = new Set<string>();
  readonly #waiting: ChunkFile[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  push(chunk: ChunkFile): void {
    if (this.#known.has(chunk.path)) return;
    this.#known.add(chunk.path);
    this.#waiting.push(chunk);
    this.#wake();
  }

  /** No more will come. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChunkFile> {
    for (;;) {
      const chunk = this.#waiting.shift();
      if (chunk) {
        yield chunk;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
