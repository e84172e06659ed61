import type { PositionJson } from '../../protocol/link/position-json.ts';
import { unlessAborted } from '../../platform/lifecycle/abort.ts';

/** Where a lane waits for something to change that could help. */
export class Parking {
  #left = Promise.withResolvers<void>();
  #peerHead: PositionJson | undefined;
  #atHead: string | undefined;

  /**
   * Until `leave`; where the peer's log and the standby do not fit (`mismatch`) also until the peer's
   * log is another. Returns at once when `signal` aborts.
   */
  async wait(mismatch: boolean, signal: AbortSignal): Promise<void> {
    this.#left = Promise.withResolvers<void>();
    this.#atHead = mismatch ? (this.#peerHead?.hash ?? '') : undefined;
    await unlessAborted(this.#left.promise, signal).catch(() => undefined);
    this.#atHead = undefined;
  }

  leave(): void {
    this.#left.resolve();
  }

  onPeerHead(head: PositionJson): void {
    this.#peerHead = head;
    if (this.#atHead !== undefined && this.#atHead !== head.hash) this.leave();
  }
}
