/** A route as configured. */
export type RouteRow = {
  readonly prefix: string;
  readonly class: string;
  readonly next_hops: readonly string[];
  readonly transit: boolean;
  readonly emergency: boolean;
};

/** Routes by prefix; finding one takes a look-up for each digit of the number. Immutable. */
export class RouteTable {
  readonly #byPrefix: ReadonlyMap<string, RouteRow>;

  constructor(rows: Iterable<RouteRow>) {
    this.#byPrefix = new Map([...rows].map((row) => [row.prefix, row]));
  }

  /** The route with the longest prefix of the number; emergency routes are for whole numbers only. */
  longestPrefix(number: string): RouteRow | undefined {
    for (let length = number.length; length > 0; length--) {
      const row = this.#byPrefix.get(number.slice(0, length));
      if (row && !row.emergency) return row;
    }
    return undefined;
  }

  /** The emergency route of exactly this number, as it is dialled. */
  emergency(digits: string): RouteRow | undefined {
    const row = this.#byPrefix.get(digits);
    return row?.emergency ? row : undefined;
  }
}
