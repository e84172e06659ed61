type Mark = { readonly seq: number; readonly atMs: number };

/** More would only tell the age of a backlog finer. */
const marksMax = 256;

/**
 * Since when events are known of, so that lag is counted by the receiver's own clock.
 *
 * Invariant: marks grow in seq and time, and there are at most `marksMax`: further events are counted
 * to the last, which makes them look older than they are, never younger.
 */
export class KnownSince {
  #marks: Mark[] = [];
  #known = 0;

  /** Events up to `seq` are known of. */
  note(seq: number, atMs: number): void {
    if (seq <= this.#known) return;
    this.#known = seq;
    const last = this.#marks.at(-1);
    if (last && this.#marks.length >= marksMax) this.#marks.splice(-1, 1, { seq, atMs: last.atMs });
    else this.#marks.push({ seq, atMs });
  }

  /** For how long the oldest event after `seq` has been known of; undefined where there is none. */
  ageAfterMs(seq: number, nowMs: number): number | undefined {
    this.#marks = this.#marks.filter((mark) => mark.seq > seq);
    const [oldest] = this.#marks;
    return oldest && nowMs - oldest.atMs;
  }

  /** Begins anew where the log may have gone back. */
  reset(): void {
    this.#marks = [];
    this.#known = 0;
  }
}
