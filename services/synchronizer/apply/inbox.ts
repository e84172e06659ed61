import type { EventsFrame } from '../../protocol/link/events-frame.ts';
import { chainHash } from '../../protocol/position.ts';
import type { Position } from '../../protocol/position.ts';

/** Consecutive events whose chain has been verified. */
export type Batch = {
  readonly firstSeq: number;
  readonly bodies: readonly Buffer[];
  readonly hashes: readonly Buffer[];
  /** What the sender gets back as credit once they are applied. */
  readonly creditBytes: number;
};

export type BatchLimit = {
  readonly eventsMax: number;
  /** At least one frame is taken, however large it is. */
  readonly bytesMax: number;
  /** No event beyond. */
  readonly seqMax: number;
};

/** What became of a frame: `gap` and `broken` leave the inbox as it was. */
export type Received = 'accepted' | 'duplicate' | 'gap' | 'broken';

/**
 * Events received and not yet applied.
 *
 * Invariant: they follow the position it began at without gap, and the hash of the chain after every
 * frame is the one its sender claims; an event that is held already is skipped.
 */
export class Inbox {
  readonly #batches: Batch[] = [];
  #received: number;
  #hash: Buffer;
  #changed = Promise.withResolvers<void>();

  constructor(from: Position) {
    this.#received = from.seq;
    this.#hash = from.hash;
  }

  /** Seq of the last event received. */
  get received(): number {
    return this.#received;
  }

  /** Events received and not yet taken. */
  get waiting(): number {
    const [first] = this.#batches;
    return first ? this.#received - first.firstSeq + 1 : 0;
  }

  /** Take it before you look; resolves when something was received. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  push({ firstSeq, bodies, lastHash }: EventsFrame, creditBytes: number): Received {
    const held = this.#received + 1 - firstSeq;
    if (held < 0) return 'gap';
    if (held >= bodies.length) return 'duplicate';
    const fresh = bodies.slice(held);
    let hash = this.#hash;
    const hashes = fresh.map((body) => (hash = chainHash(hash, body)));
    if (!hash.equals(lastHash)) return 'broken';
    this.#batches.push({ firstSeq: firstSeq + held, bodies: fresh, hashes, creditBytes });
    this.#received += fresh.length;
    this.#hash = hash;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
    return 'accepted';
  }

  /** The next events, as many as the limit lets merge; undefined where there is none. */
  take(limit: BatchLimit): Batch | undefined {
    const taken: Batch[] = [];
    let events = 0;
    let bytes = 0;
    for (let next = this.#peek(limit, events); next; next = this.#peek(limit, events)) {
      if (taken.length > 0 && bytes + next.creditBytes > limit.bytesMax) break;
      taken.push(next);
      events += next.bodies.length;
      bytes += next.creditBytes;
      this.#batches.shift();
    }
    return taken.length > 0 ? merge(taken) : undefined;
  }

  /** The first batch, cut where it exceeds the limit; what is cut off stays, and with it the credit. */
  #peek({ eventsMax, seqMax }: BatchLimit, events: number): Batch | undefined {
    const [first] = this.#batches;
    if (!first) return undefined;
    const room = Math.min(eventsMax - events, seqMax - first.firstSeq + 1);
    if (room <= 0) return undefined;
    if (room >= first.bodies.length) return first;
    const { firstSeq, bodies, hashes, creditBytes } = first;
    const head: Batch = {
      firstSeq,
      bodies: bodies.slice(0, room),
      hashes: hashes.slice(0, room),
      creditBytes: 0,
    };
    const tail: Batch = {
      firstSeq: firstSeq + room,
      bodies: bodies.slice(room),
      hashes: hashes.slice(room),
      creditBytes,
    };
    this.#batches.splice(0, 1, head, tail);
    return head;
  }
}

function merge(batches: readonly Batch[]): Batch {
  const [first] = batches;
  if (first && batches.length === 1) return first;
  return {
    firstSeq: first?.firstSeq ?? 0,
    bodies: batches.flatMap(({ bodies }) => bodies),
    hashes: batches.flatMap(({ hashes }) => hashes),
    creditBytes: batches.reduce((sum, { creditBytes }) => sum + creditBytes, 0),
  };
}
