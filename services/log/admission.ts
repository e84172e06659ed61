import { DualhomeError } from '../protocol/errors/index.ts';

export type AdmissionLimits = {
  /** Requests that are not answered yet. */
  readonly queuedMax: number;
  /** What they hold in memory. */
  readonly queuedBytesMax: number;
};

/** When a caller who was refused for lack of room may ask again. */
const RETRY_AFTER_SECONDS = 1;

/** Counts what was let in and not yet out again. */
export class Admission {
  readonly #limits: AdmissionLimits;
  #count = 0;
  #bytes = 0;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  /** The refusal where there is no room; one that is alone always finds some. */
  refusal(bytes: number): DualhomeError | undefined {
    const { queuedMax, queuedBytesMax } = this.#limits;
    if (this.#count < queuedMax && (this.#count === 0 || this.#bytes + bytes <= queuedBytesMax))
      return undefined;
    return new DualhomeError('LOG_BUSY', {
      facts: { queued: this.#count, retryAfterSeconds: RETRY_AFTER_SECONDS },
    });
  }

  enter(bytes: number): void {
    this.#count += 1;
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#count -= 1;
    this.#bytes -= bytes;
    if (this.#count === 0) this.#empty?.resolve();
  }

  /** Resolves when nobody is in. */
  async empty(): Promise<void> {
    if (this.#count === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }
}
