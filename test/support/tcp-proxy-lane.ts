import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** How a connection ends: orderly as when a program exits, or by reset as when a machine or a firewall does it. */
export type CutKind = 'fin' | 'rst';

/** What happens to bytes that go one way, over all connections of a proxy. */
export class LaneShape {
  delayMs = 0;
  bytesPerSecond: number | undefined;
  stalled = false;
  cutPlan: { bytes: number; readonly kind: CutKind } | undefined;
  forwardedBytes = 0;
  /** `resumed` and `forwarded`. */
  readonly events = new EventEmitter({ captureRejections: false }).setMaxListeners(0);
}

/** Bytes that may wait in a lane before its sender is made to wait. */
const waitingBytesMax = 1 << 20;

/** A throttled lane moves this often. */
const tickMs = 5;

type Item = { readonly dueMs: number; readonly bytes: Buffer | 'fin' | 'rst' };

/**
 * One direction of one proxied connection.
 *
 * Invariant: bytes, and the end after them, go out in the order they came in, and none while the lane is stalled.
 */
export class ProxyLane {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #shape: LaneShape;
  readonly #cut: (kind: CutKind) => void;
  readonly #items: Item[] = [];
  readonly #arrived = new EventEmitter();
  readonly #over = new AbortController();
  #waitingBytes = 0;

  constructor(source: Socket, target: Socket, shape: LaneShape, cut: (kind: CutKind) => void) {
    this.#source = source;
    this.#target = target;
    this.#shape = shape;
    this.#cut = cut;
    source.on('data', (chunk: Buffer) => this.#push(chunk));
    source.on('end', () => this.#push('fin'));
    source.on('error', () => this.#push('rst'));
    target.on('close', () => this.#over.abort());
    this.#run().catch(() => undefined);
  }

  /** Forwards nothing more; what still comes is thrown away. */
  stop(): void {
    this.#over.abort();
    this.#source.removeAllListeners('data').resume();
  }

  #push(bytes: Item['bytes']): void {
    this.#items.push({ dueMs: performance.now() + this.#shape.delayMs, bytes });
    if (typeof bytes !== 'string') this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > waitingBytesMax) this.#source.pause();
    this.#arrived.emit('item');
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    for (;;) {
      while (this.#items.length === 0) await once(this.#arrived, 'item', { signal });
      const item = this.#items[0] as Item;
      const earlyMs = item.dueMs - performance.now();
      if (earlyMs > 0) await wait(earlyMs, undefined, { signal });
      while (this.#shape.stalled) await once(this.#shape.events, 'resumed', { signal });
      this.#items.shift();
      if (item.bytes === 'fin') return void this.#target.end();
      if (item.bytes === 'rst') return void this.#target.resetAndDestroy();
      await this.#forward(item.bytes);
      this.#waitingBytes -= item.bytes.length;
      if (this.#waitingBytes <= waitingBytesMax) this.#source.resume();
    }
  }

  async #forward(bytes: Buffer): Promise<void> {
    const { bytesPerSecond } = this.#shape;
    const sliceBytes = bytesPerSecond ? Math.ceil((bytesPerSecond * tickMs) / 1000) : bytes.length;
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      if (bytesPerSecond) await wait(tickMs, undefined, { signal: this.#over.signal });
      while (this.#shape.stalled) await once(this.#shape.events, 'resumed', { signal: this.#over.signal });
      await this.#write(bytes.subarray(at, at + sliceBytes));
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    const plan = this.#shape.cutPlan;
    const allowed = plan ? bytes.subarray(0, plan.bytes) : bytes;
    if (allowed.length > 0) {
      const drained = this.#target.write(allowed);
      this.#shape.forwardedBytes += allowed.length;
      this.#shape.events.emit('forwarded');
      if (!drained) await once(this.#target, 'drain', { signal: this.#over.signal });
    }
    if (!plan) return;
    plan.bytes -= allowed.length;
    if (allowed.length === bytes.length) return;
    this.#shape.cutPlan = undefined;
    this.#cut(plan.kind);
  }
}
