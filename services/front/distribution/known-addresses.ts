const cells = 262_144;

/**
 * Whether an address may be one a registered device is behind. Half a megabyte whatever is counted; now and then it says
 * yes of one that is not, never no of one that is.
 */
export class KnownAddresses {
  readonly #counts = new Uint32Array(cells);

  count(address: string, by: 1 | -1): void {
    const cell = cellOf(address);
    this.#counts[cell] = Math.max(0, (this.#counts[cell] ?? 0) + by);
  }

  mayHave(address: string): boolean {
    return (this.#counts[cellOf(address)] ?? 0) > 0;
  }
}

/** FNV-1a. */
function cellOf(address: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < address.length; i++) hash = Math.imul(hash ^ address.charCodeAt(i), 0x0100_0193);
  return (hash >>> 0) % cells;
}
