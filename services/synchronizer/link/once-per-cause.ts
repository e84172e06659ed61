import type { DualhomeError } from '../../protocol/errors/index.ts';

const causesMax = 100;

/** Tells what has been reported before, so that whoever knocks without end fills no log. Remembers the newest causes only. */
export class OncePerCause {
  readonly #seen = new Set<string>();

  isNew({ code, detail }: DualhomeError): boolean {
    const cause = `${code} ${detail ?? ''}`;
    const known = this.#seen.delete(cause);
    this.#seen.add(cause);
    const [oldest] = this.#seen;
    if (this.#seen.size > causesMax && oldest !== undefined) this.#seen.delete(oldest);
    return !known;
  }
}
