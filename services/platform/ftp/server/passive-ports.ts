/** Ports the data connections use, both included. */
export type PassivePorts = { readonly min: number; readonly max: number };

/** Gives the passive ports in turn, so that a port just used rests longest. */
export class PortRotation {
  readonly #min: number;
  readonly #count: number;
  #next = 0;

  /** Without a range, the operating system chooses (port 0). */
  constructor({ min, max }: PassivePorts = { min: 0, max: 0 }) {
    this.#min = min;
    this.#count = max - min + 1;
  }

  /** Every port once. */
  *candidates(): Generator<number> {
    for (let i = 0; i < this.#count; i += 1) {
      this.#next = (this.#next + 1) % this.#count;
      yield this.#min + this.#next;
    }
  }
}
