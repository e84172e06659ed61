/** So many requests are a group that is worth its commit; nobody is waited for beyond. */
const worthwhile = 64;
/** Commits that are not waited for after waiting was in vain; doubled each time, up to the second. */
const pausesMin = 2;
const pausesMax = 64;

/**
 * Whether a group waits a moment for more: clients that send their next request when the last was answered come back
 * together, and what a commit costs hardly depends on how many share it. Pure.
 *
 * Invariant: waiting in vain is followed by not waiting, the longer the more often it was; requests that nobody
 * shares a commit with are never held up.
 */
export class Returners {
  #expected = 0;
  #pauses = 0;
  #pausesNext = pausesMin;

  /** A commit has answered so many requests, while so many others came. Returns whether to wait for the former. */
  answered(count: number, others: number): boolean {
    this.#expected = 0;
    if (this.#pauses > 0) this.#pauses -= 1;
    else if (count + others > 1 && others < worthwhile) this.#expected = Math.min(count + others, worthwhile);
    return this.#expected > 0;
  }

  /** Whether those who are there now are to wait on. */
  awaits(present: number): boolean {
    if (present < this.#expected) return true;
    if (this.#expected > 0) this.#pausesNext = pausesMin;
    this.#expected = 0;
    return false;
  }

  /** The moment is over: whoever is not there will not come soon. */
  giveUp(present: number): void {
    if (this.#expected === 0) return;
    // Most of them are as good as all: next time fewer are expected.
    if (present * 2 < this.#expected) {
      this.#pauses = this.#pausesNext;
      this.#pausesNext = Math.min(this.#pausesNext * 2, pausesMax);
    }
    this.#expected = 0;
  }
}
