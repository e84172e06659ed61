/** Connections that have proven nothing yet, at most: of one source address, and of all. */
export type ConnectionLimitValues = { readonly perSource: number; readonly total: number };

export const defaultConnectionLimits: ConnectionLimitValues = { perSource: 1_000, total: 10_000 };

/**
 * Counts the inbound connections of which no message was proven genuine yet. Proven ones do not count, however many come
 * from one address: a whole office is behind one after a failover.
 */
export class ConnectionLimits {
  readonly #values: ConnectionLimitValues;
  readonly #unproven = new Map<string, Set<number>>();
  #total = 0;

  constructor(values: ConnectionLimitValues = defaultConnectionLimits) {
    this.#values = values;
  }

  get unproven(): number {
    return this.#total;
  }

  /** Whether another connection may be taken in; it then counts. */
  enter(address: string, connection: number): boolean {
    const ofSource = this.#unproven.get(address);
    if (this.#total >= this.#values.total || (ofSource?.size ?? 0) >= this.#values.perSource) return false;
    if (ofSource) ofSource.add(connection);
    else this.#unproven.set(address, new Set([connection]));
    this.#total += 1;
    return true;
  }

  /** It has proven to be genuine, or is closed. */
  leave(address: string, connection: number): void {
    const ofSource = this.#unproven.get(address);
    if (!ofSource?.delete(connection)) return;
    this.#total -= 1;
    if (ofSource.size === 0) this.#unproven.delete(address);
  }
}
