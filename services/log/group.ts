import type { Position } from '../protocol/position.ts';
import { chainHash } from '../protocol/position.ts';
import type { LoggedEvent, Run } from './event.ts';
import type { PlannedChange } from './planner.ts';
import { RowVersions } from './row-versions.ts';

export type GroupLimits = {
  /** Events of one transaction. */
  readonly eventsMax: number;
  /** Their bytes; the last event may exceed it. */
  readonly bytesMax: number;
};

/** Consecutive events that are committed together, with what they change; `Item` is what waits for them. */
export class Group<Item> {
  readonly number: number;
  readonly from: Position;
  readonly rows = new RowVersions();
  readonly items: Item[] = [];
  readonly #events: LoggedEvent[] = [];
  readonly #hashes: Buffer[] = [];
  #bytes = 0;
  #lastTimeMs: number;

  constructor(number: number, from: Position, lastTimeMs: number) {
    this.number = number;
    this.from = from;
    this.#lastTimeMs = lastTimeMs;
  }

  get empty(): boolean {
    return this.items.length === 0;
  }

  /** How many events it makes; requests that change nothing make none. */
  get events(): number {
    return this.#events.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of the last event; a later one is not before it. */
  get lastTimeMs(): number {
    return this.#lastTimeMs;
  }

  /** The position after the events so far. */
  get to(): Position {
    const { incarnation, seq, hash } = this.from;
    return { incarnation, seq: seq + this.#events.length, hash: this.#hashes.at(-1) ?? hash };
  }

  get run(): Run {
    return { from: this.from, to: this.to, events: this.#events, hashes: this.#hashes };
  }

  hasRoom({ eventsMax, bytesMax }: GroupLimits): boolean {
    return this.items.length < eventsMax && this.#bytes < bytesMax;
  }

  /** Takes in what waits for this group, with the event it makes, if any. */
  add(item: Item, change?: PlannedChange): void {
    this.items.push(item);
    if (change) this.#append(change);
  }

  #append({ event, table, rows }: PlannedChange): void {
    const { hash, seq } = this.to;
    this.#events.push(event);
    this.#hashes.push(chainHash(hash, event.body));
    this.#bytes += event.body.length;
    this.#lastTimeMs = event.timeMs;
    for (const { key, row } of rows) this.rows.put(table, key, { row, seq: seq + 1 });
  }
}
