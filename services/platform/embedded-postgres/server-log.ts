import { closeSync, copyFileSync, existsSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const LOG_BYTES_MAX = 16 * 1024 * 1024;
const TAIL_BYTES = 4096;
const TAIL_LINES = 12;
const CHECK_INTERVAL_MS = 60_000;

/**
 * The file a server's stderr is appended to. At most about 2 x 16 MiB: when full it is copied to `.1` and emptied in
 * place, since the server keeps it open.
 */
export class ServerLog implements Disposable {
  readonly path: string;
  readonly #timer: NodeJS.Timeout;
  #startBytes: number;

  constructor(dataDir: string) {
    this.path = join(dataDir, 'server.log');
    this.#trim();
    this.#startBytes = this.#size();
    this.#timer = setInterval(() => this.#trim(), CHECK_INTERVAL_MS).unref();
  }

  /** A descriptor for a server to write to; the caller closes it. */
  open(): number {
    return openSync(this.path, 'a', 0o600);
  }

  /** The last lines written since this object was made. */
  tail(): string {
    if (!existsSync(this.path)) return '';
    const from = Math.max(this.#startBytes, this.#size() - TAIL_BYTES);
    const buffer = Buffer.alloc(TAIL_BYTES);
    const file = openSync(this.path, 'r');
    try {
      const bytes = readSync(file, buffer, 0, TAIL_BYTES, from);
      return buffer.toString('utf8', 0, bytes).trim().split('\n').slice(-TAIL_LINES).join('\n');
    } finally {
      closeSync(file);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  #trim(): void {
    if (this.#size() <= LOG_BYTES_MAX) return;
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path);
    this.#startBytes = 0;
  }
}
