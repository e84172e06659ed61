import type { DualhomeError } from '../../protocol/errors/index.ts';
import { positionToJson } from '../../protocol/link/position-json.ts';
import type { HoldReport, LaneState, Proof } from '../../protocol/link/report.ts';
import type { LogName } from '../../protocol/names.ts';
import type { Position } from '../../protocol/position.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import { KnownSince } from './known-since.ts';

/** What a lane knows of itself, as it is reported to operators and to the peer. */
export class LaneStatus {
  readonly #log: LogName;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #known = new KnownSince();
  #state: LaneState = 'starting';
  #trouble: DualhomeError | undefined;
  #applied: Position | undefined;
  #received = 0;
  /** The newest comparison with home; read from the database by whoever watches it. */
  proof: Proof | undefined;

  /** `onChange` is told when the state, not only a number, is another. */
  constructor(log: LogName, clock: Clock, onChange: () => void) {
    this.#log = log;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get state(): LaneState {
    return this.#state;
  }

  get applied(): Position | undefined {
    return this.#applied;
  }

  /** `trouble` is why it waits or is parked. */
  enter(state: LaneState, trouble?: DualhomeError): void {
    const same = this.#state === state && this.#trouble?.code === trouble?.code;
    this.#state = state;
    this.#trouble = trouble;
    if (!same) this.#onChange();
  }

  /** The peer's log goes up to `seq`, as far as is known here. */
  knows(seq: number): void {
    this.#known.note(seq, this.#clock.monotonicMs());
  }

  receivedUpTo(seq: number): void {
    this.#received = seq;
    this.knows(seq);
  }

  appliedUpTo(position: Position): void {
    this.#applied = position;
  }

  /** What was read from the database: it may have been moved, also back. */
  startsAt(position: Position): void {
    if (this.#applied && position.seq < this.#applied.seq) this.#known.reset();
    this.#applied = position;
    this.#received = position.seq;
  }

  report(): HoldReport {
    const applied = this.#applied;
    const behindMs = applied && this.#known.ageAfterMs(applied.seq, this.#clock.monotonicMs());
    return {
      log: this.#log,
      state: this.#state,
      code: this.#trouble?.code ?? null,
      detail: this.#trouble?.detail?.slice(0, 2_000) ?? '',
      applied: applied ? positionToJson(applied) : null,
      received: applied ? Math.max(this.#received, applied.seq) : null,
      behindMs: behindMs ?? null,
      proof: this.proof ?? null,
    };
  }
}
