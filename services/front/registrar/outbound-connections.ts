/**
 * Which bindings live by a connection their device keeps open (RFC 5626): they end with it.
 *
 * Invariant: a binding counts for one connection, the newest it was registered over.
 */
export class OutboundConnections {
  readonly #keysOf = new Map<number, Set<string>>();
  readonly #connectionOf = new Map<string, number>();

  /** The binding is registered over this connection; 0: over none that could be lost. */
  bind(key: string, connection: number): void {
    const before = this.#connectionOf.get(key);
    if (before === connection) return;
    if (before !== undefined) this.#forget(key, before);
    if (connection === 0) return;
    this.#connectionOf.set(key, connection);
    const keys = this.#keysOf.get(connection);
    if (keys) keys.add(key);
    else this.#keysOf.set(connection, new Set([key]));
  }

  /** The bindings that end with the connection; they are then forgotten here. */
  lost(connection: number): readonly string[] {
    const keys = [...(this.#keysOf.get(connection) ?? [])];
    for (const key of keys) this.#forget(key, connection);
    return keys;
  }

  #forget(key: string, connection: number): void {
    this.#connectionOf.delete(key);
    const keys = this.#keysOf.get(connection);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(connection);
  }
}
