import { DualhomeError, isDualhomeError } from '../protocol/errors/index.ts';
import type { Position } from '../protocol/position.ts';
import type { Table, TableChange } from '../model/table.ts';
import type { Clock } from '../platform/lifecycle/clock.ts';
import { systemClock } from '../platform/lifecycle/clock.ts';
import { Admission } from './admission.ts';
import type { AdmissionLimits } from './admission.ts';
import type { Run } from './event.ts';
import { Group } from './group.ts';
import type { GroupLimits } from './group.ts';
import { Lookups } from './lookups.ts';
import type { Found } from './lookups.ts';
import type { Plan, Planner, RowsWanted } from './planner.ts';
import { Returners } from './returners.ts';
import type { RowVersion, RowVersions } from './row-versions.ts';

export type WriterLimits = GroupLimits &
  AdmissionLimits & {
    /** Keys of one look-up. */
    readonly keysMax: number;
    /** Longest time a small group waits for those who were just answered; 0: it does not. */
    readonly gatherMs: number;
  };

export const defaultWriterLimits: WriterLimits = {
  eventsMax: 1_000,
  bytesMax: 1_048_576,
  queuedMax: 10_000,
  queuedBytesMax: 16_777_216,
  keysMax: 2_000,
  gatherMs: 2,
};

/** Where a log stands. */
export type LogEnd = { readonly head: Position; readonly lastTimeMs: number };

/** What one transaction wrote, and how long it took. */
export type GroupFacts = { readonly events: number; readonly bytes: number; readonly commitMs: number };

export type GroupWriterOptions<Request, Answer> = {
  readonly end: LogEnd;
  readonly planner: Planner<Request, Answer>;
  /** The rows wanted as they are committed; waits while the database is away. */
  readonly read: (wanted: readonly RowsWanted[]) => Promise<RowVersions>;
  /** See `Appender.append`. */
  readonly append: (run: Run, changes: readonly TableChange[]) => Promise<void>;
  readonly limits?: Partial<WriterLimits> | undefined;
  readonly clock?: Clock | undefined;
  readonly onGroup?: ((facts: GroupFacts) => void) | undefined;
};

/** A plan, or the defect that a planner failed with. */
type End<Answer> = Plan<Answer> | { readonly refusal: unknown };

type Item<Request, Answer> = {
  readonly request: Request;
  readonly bytes: number;
  readonly settle: PromiseWithResolvers<Answer>;
  /** Gets a group of its own, because one it was in failed over something in its data. */
  readonly alone: boolean;
};

type Ready<Request, Answer> = { readonly item: Item<Request, Answer>; readonly found: Found };
type Planned<Request, Answer> = Ready<Request, Answer> & { readonly plan: End<Answer> };

/**
 * Turns concurrent requests into events, many to a transaction. A request passes four stages in order of arrival: its
 * rows are looked up; it is planned into the open group, on top of what the groups before it change; the group is
 * committed when the one before it is, a small one a moment later (see `Returners`); the request is answered.
 *
 * Invariants: an answer is given when all it rests on is durable. A plan that rests on a group that failed is made
 * again. Once the log was written by another process, or an outcome stays unknown, nothing more is written.
 */
export class GroupWriter<Request, Answer> {
  readonly #options: GroupWriterOptions<Request, Answer>;
  readonly #limits: WriterLimits;
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #lookups: Lookups<Item<Request, Answer>>;
  readonly #stopped = Promise.withResolvers<DualhomeError>();
  /** Why nothing more is taken in. */
  #closed: DualhomeError | undefined;
  /** Why nothing more is written. */
  #failure: DualhomeError | undefined;
  #end: LogEnd;
  #ready: Ready<Request, Answer>[] = [];
  /** Groups are numbered in order; this one was the last to become durable. */
  #durable = 0;
  #open: Group<Planned<Request, Answer>>;
  #committing: Group<Planned<Request, Answer>> | undefined;
  /** What durable groups changed that rows looked up before may not show, oldest first. */
  #recent: { readonly number: number; readonly rows: RowVersions }[] = [];
  readonly #returners = new Returners();
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: GroupWriterOptions<Request, Answer>) {
    this.#options = options;
    this.#limits = { ...defaultWriterLimits, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#admission = new Admission(this.#limits);
    this.#lookups = new Lookups({
      wanted: ({ request }) => options.planner.wanted(request),
      read: options.read,
      stamp: () => this.#durable,
      keysMax: this.#limits.keysMax,
      onFound: (items, found) => this.#found(items, found),
      onFailed: (items, error) => {
        for (const item of items) this.#settle(item, { refusal: error });
      },
    });
    this.#end = options.end;
    this.#open = new Group(1, options.end.head, options.end.lastTimeMs);
  }

  /** The last position known to be durable. */
  get head(): Position {
    return this.#end.head;
  }

  /** Requests not answered yet. */
  get queued(): number {
    return this.#admission.count;
  }

  /** Resolves with the reason when the writer has stopped for good. */
  get stopped(): Promise<DualhomeError> {
    return this.#stopped.promise;
  }

  /**
   * Resolves when what was asked is durable. `bytes` is what the request holds in memory.
   *
   * @throws LOG_BUSY when too much waits already; the planner's refusal; why the log cannot be written
   */
  async submit(request: Request, bytes: number): Promise<Answer> {
    const refusal = this.#closed ?? this.#admission.refusal(bytes);
    if (refusal) throw refusal;
    const settle = Promise.withResolvers<Answer>();
    this.#admission.enter(bytes);
    this.#lookups.add({ request, bytes, settle, alone: false });
    return settle.promise;
  }

  /** Takes no more requests; resolves when all are answered. */
  async drain(): Promise<void> {
    this.#closed ??= new DualhomeError('LOG_CLOSED');
    await this.#admission.empty();
  }

  #found(items: readonly Item<Request, Answer>[], found: Found): void {
    for (const item of items) {
      if (this.#failure) this.#settle(item, { refusal: this.#failure });
      else this.#ready.push({ item, found });
    }
    this.#advance();
  }

  /** Plans what is ready as far as the open group has room, and sends the group if none is under way. */
  #advance(): void {
    let planned = 0;
    for (const ready of this.#ready) {
      if (!this.#fits(ready.item)) break;
      this.#plan(ready);
      planned += 1;
    }
    this.#ready.splice(0, planned);
    if (this.#committing || this.#open.empty) return;
    if (this.#gathering && this.#ready.length === 0 && this.#returners.awaits(this.#open.items.length))
      return;
    void this.#commit(this.#open);
  }

  /** Has the open group wait for those who were answered, who may have more to ask. */
  #gather(answered: number): void {
    const { gatherMs } = this.#limits;
    if (gatherMs === 0 || !this.#returners.answered(answered, this.#admission.count)) return;
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      this.#returners.giveUp(this.#open.items.length);
      this.#advance();
    }, gatherMs);
  }

  #fits({ alone }: Item<Request, Answer>): boolean {
    if (this.#failure) return false;
    if (this.#open.empty) return true;
    return !alone && !this.#open.items[0]?.item.alone && this.#open.hasRoom(this.#limits);
  }

  #plan(ready: Ready<Request, Answer>): void {
    const { request } = ready.item;
    const { planner } = this.#options;
    const { table } = planner.wanted(request);
    const { incarnation, seq } = this.#open.to;
    const timeMs = Math.max(this.#clock.nowMs(), this.#open.lastTimeMs);
    const rowOf = (key: string): RowVersion | undefined => this.#rowOf(table, key, ready.found);
    const plan = attempt(() => planner.plan(request, rowOf, { incarnation, seq: seq + 1, timeMs }));
    this.#open.add({ ...ready, plan }, 'change' in plan ? plan.change : undefined);
  }

  /** The newest version: of the groups on their way, of those the look-up may have missed, else as looked up. */
  #rowOf(table: Table, key: string, { rows, asOf }: Found): RowVersion | undefined {
    const own = this.#open.rows.get(table, key) ?? this.#committing?.rows.get(table, key);
    if (own) return own.row ? own : undefined;
    for (let i = this.#recent.length - 1; i >= 0; i -= 1) {
      const recent = this.#recent[i];
      if (!recent || recent.number <= asOf) break;
      const version = recent.rows.get(table, key);
      if (version) return version.row ? version : undefined;
    }
    return rows.get(table, key);
  }

  async #commit(group: Group<Planned<Request, Answer>>): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#committing = group;
    this.#open = new Group(group.number + 1, group.to, group.lastTimeMs);
    const startedMs = this.#clock.monotonicMs();
    try {
      if (group.events > 0) await this.#options.append(group.run, group.rows.changes());
    } catch (error) {
      this.#undo(group, error);
      return;
    }
    this.#durable = group.number;
    this.#end = { head: group.to, lastTimeMs: group.lastTimeMs };
    this.#committing = undefined;
    this.#remember(group);
    for (const { item, plan } of group.items) this.#settle(item, plan);
    this.#gather(group.items.length);
    this.#advance();
    const commitMs = this.#clock.monotonicMs() - startedMs;
    if (group.events > 0) this.#options.onGroup?.({ events: group.events, bytes: group.bytes, commitMs });
  }

  /** Keeps what a group changed until no request is left whose rows were looked up before it was durable. */
  #remember({ number, rows }: Group<Planned<Request, Answer>>): void {
    const oldest =
      this.#open.items[0]?.found.asOf ?? this.#ready[0]?.found.asOf ?? this.#lookups.oldest ?? number;
    this.#recent = [...this.#recent, { number, rows }].filter((recent) => recent.number > oldest);
  }

  /** The group was not written: what rested on it is planned again, what it was about is refused or tried alone. */
  #undo(group: Group<Planned<Request, Answer>>, error: unknown): void {
    const later = this.#open.items;
    this.#committing = undefined;
    this.#open = new Group(group.number, this.#end.head, this.#end.lastTimeMs);
    if (isDualhomeError(error, 'LOG_FENCED') || isDualhomeError(error, 'POSTGRES_COMMIT_UNKNOWN')) {
      this.#stop(error, [...group.items, ...later]);
      return;
    }
    const apart = !isDualhomeError(error) && group.items.length > 1;
    const again = apart
      ? group.items.map(({ item, found }) => ({ item: { ...item, alone: true }, found }))
      : [];
    this.#ready = [...again, ...later.map(({ item, found }) => ({ item, found })), ...this.#ready];
    if (!apart) for (const { item } of group.items) this.#settle(item, { refusal: error });
    this.#advance();
  }

  #stop(error: DualhomeError, planned: readonly Planned<Request, Answer>[]): void {
    this.#failure = error;
    this.#closed = error;
    const ready = this.#ready.splice(0);
    for (const { item } of [...planned, ...ready]) this.#settle(item, { refusal: error });
    this.#stopped.resolve(error);
  }

  #settle(item: Item<Request, Answer>, end: End<Answer>): void {
    this.#admission.leave(item.bytes);
    if ('refusal' in end) item.settle.reject(end.refusal);
    else item.settle.resolve(end.answer);
  }
}

function attempt<Answer>(plan: () => Plan<Answer>): End<Answer> {
  try {
    return plan();
  } catch (refusal) {
    return { refusal };
  }
}
