import { DualhomeError, messageOf } from '../protocol/errors/index.ts';
import { eventId } from '../protocol/event.ts';
import { chainHash } from '../protocol/position.ts';
import type { Base } from './held.ts';
import type { StoredEvent } from './read.ts';

/** What a log of either kind says in the envelope of an event. */
type Envelope = {
  readonly id?: unknown;
  readonly source?: unknown;
  readonly type?: unknown;
  readonly time?: unknown;
  readonly data?: {
    readonly incarnation?: unknown;
    readonly parent?: { readonly incarnation: unknown; readonly seq: unknown; readonly hash: unknown } | null;
  };
};

/**
 * Checks events one after the other. Pure: it serves a database, a file or what a peer sends.
 *
 * Invariant: after `check` has returned for event N, every event from the base to N is proven to be
 * the one that was written: seqs without a gap, hashes that follow from the bodies, times that do not go back and
 * are the bodies' own, ids of this seq and incarnation, one source, and incarnations that name their parent.
 */
export class ChainCheck {
  #seq: number;
  #hash: Buffer;
  #incarnation: string | undefined;
  #timeMs = -Infinity;
  #source: string | undefined;

  constructor(base: Base) {
    this.#seq = base.seq;
    this.#hash = base.hash;
    this.#incarnation = base.incarnation;
  }

  /** The last event proven. */
  get position(): Base {
    return { seq: this.#seq, hash: this.#hash, incarnation: this.#incarnation };
  }

  /** @throws LOG_BROKEN with the seq that is missing, altered or out of its place */
  check({ seq, timeMs, body, hash }: StoredEvent): void {
    const expected = this.#seq + 1;
    if (seq !== expected) throw broken(expected, 'seq', `it is missing; the next one held is ${seq}`);
    if (!hash.equals(chainHash(this.#hash, body)))
      throw broken(seq, 'hash', 'its hash does not follow from its body');
    const envelope = parse(body, seq);
    if (Date.parse(String(envelope.time)) !== timeMs)
      throw broken(seq, 'time', 'its time is not the one in its body');
    if (timeMs < this.#timeMs) throw broken(seq, 'time', 'its time is before that of its predecessor');
    const source = String(envelope.source);
    if (source !== (this.#source ?? source))
      throw broken(seq, 'source', `its source is ${source}, not ${this.#source}`);
    this.#checkIncarnation(envelope, seq);
    this.#seq = seq;
    this.#hash = hash;
    this.#timeMs = timeMs;
    this.#source = source;
  }

  #checkIncarnation({ id, type, data }: Envelope, seq: number): void {
    if (type === 'log.incarnation.begun') {
      this.#checkParent(data?.parent ?? null, seq);
      this.#incarnation = String(data?.incarnation);
    }
    this.#incarnation ??= String(id).split('/')[0] ?? '';
    if (id !== eventId(this.#incarnation, seq))
      throw broken(seq, 'id', `its id is ${String(id)}, not ${eventId(this.#incarnation, seq)}`);
  }

  /** The first event of a log has no parent; any other incarnation goes on from the event before it. */
  #checkParent(parent: (NonNullable<Envelope['data']>['parent'] & object) | null, seq: number): void {
    const sound =
      parent === null
        ? this.#seq === 0
        : parent.seq === this.#seq &&
          parent.hash === this.#hash.toString('hex') &&
          (this.#incarnation === undefined || parent.incarnation === this.#incarnation);
    if (!sound) throw broken(seq, 'parent', 'the parent its incarnation names is not the event before it');
  }
}

function parse(body: Buffer, seq: number): Envelope {
  try {
    return (JSON.parse(body.toString()) ?? {}) as Envelope;
  } catch (error) {
    throw broken(seq, 'body', messageOf(error), error);
  }
}

export function broken(seq: number, check: string, reason: string, cause?: unknown): DualhomeError {
  return new DualhomeError('LOG_BROKEN', {
    detail: `Event ${seq}: ${reason}.`,
    facts: { seq, check },
    cause,
  });
}
