import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Actor } from '../../protocol/event.ts';
import { ownSchema } from '../../protocol/names.ts';
import type { Position } from '../../protocol/position.ts';
import { registrationLog } from '../../log/definition.ts';
import { rowsChangedEvent } from '../../log/events.ts';
import type { Cause } from '../../log/open-log.ts';
import type { Planner } from '../../log/planner.ts';
import { RowVersions } from '../../log/row-versions.ts';
import { WrittenLog } from '../../log/written-log.ts';
import type { LogState, WrittenLogOptions } from '../../log/written-log.ts';
import { flow } from '../../model/flow.ts';
import { InFlight } from '../../platform/collections/in-flight.ts';
import type { Clock } from '../../platform/lifecycle/clock.ts';
import type { FlowChange } from '../registrar/bindings.ts';
import type { Distribution } from './distribution.ts';

/** Flows that change together, by whom and why. */
type Request = { readonly changes: readonly FlowChange[]; readonly actor: Actor; readonly reason: string };

export type RegistrationLogOptions = Pick<
  WrittenLogOptions<Request, number>,
  'site' | 'url' | 'applicationName' | 'witnessFile' | 'shared' | 'onTrouble' | 'onState' | 'onGroup'
> & {
  readonly distribution: Distribution;
  readonly clock: Clock;
};

/** How long a device waits for its registration to be recorded; then it is told 503 and goes elsewhere. */
const recordWithinMs = 3_000;
/** When what is under way for so long, the database is taken to be away. */
const stuckMs = 1_000;
const watchMs = 250;
/** More than the log lets wait. */
const pendingMax = 16_384;
/** What a change holds in memory, about. */
const changeBytes = 1_500;

type Pending = { readonly startedMs: number; readonly fail: (error: unknown) => void };

/**
 * The registration log of this site, of which the front is the only writer.
 *
 * Invariants: `record` resolves when the change is durable and the distribution shows it. A change of which it was said
 * that it was not recorded in time may still be, and the distribution shows it then.
 */
export class RegistrationLog implements AsyncDisposable {
  readonly #options: RegistrationLogOptions;
  readonly #log: WrittenLog<Request, number>;
  readonly #pending = new InFlight<Pending>(pendingMax);
  readonly #watch: NodeJS.Timeout;

  constructor(options: RegistrationLogOptions) {
    this.#options = options;
    this.#log = new WrittenLog<Request, number>({
      ...options,
      definition: registrationLog,
      schema: ownSchema,
      planner: plannerOf(options.site),
      // The rows are in memory: a change carries them as they were.
      read: () => Promise.resolve(new RowVersions()),
    });
    this.#watch = setInterval(() => this.#giveUp(), watchMs);
  }

  get state(): LogState {
    return this.#log.state;
  }

  /** Whether a change would be recorded soon, as far as is known. */
  get canRecord(): boolean {
    const { oldest } = this.#pending;
    const isStuck = oldest !== undefined && this.#options.clock.monotonicMs() - oldest.startedMs > stuckMs;
    return this.#log.state.open && !isStuck;
  }

  /** Changes that are not durable yet. */
  get queued(): number {
    return this.#log.queued;
  }

  /** See `WrittenLog`. */
  get fenced(): Promise<DualhomeError> {
    return this.#log.fenced;
  }

  /** Looks whether the log may be written. @throws POSTGRES_* */
  check(): Promise<void> {
    return this.#log.check();
  }

  /** See `WrittenLog`. @throws LOG_FENCED, POSTGRES_* */
  beginIncarnation(cause: Cause, whileClosed: () => Promise<void>): Promise<Position> {
    return this.#log.beginIncarnation(cause, whileClosed);
  }

  /** @throws LOG_BUSY where it takes too long, LOG_*, POSTGRES_* where it cannot be recorded */
  record(changes: readonly FlowChange[], actor: Actor, reason: string): Promise<void> {
    if (this.#pending.isFull) return Promise.reject(new DualhomeError('LOG_BUSY'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const pending = this.#pending.add({ startedMs: this.#options.clock.monotonicMs(), fail: reject });
    const settled = this.#log.submit({ changes, actor, reason }, changeBytes * changes.length);
    settled.then(
      (seq) => {
        this.#pending.take(pending);
        this.#show(changes, seq);
        resolve();
      },
      (error: unknown) => {
        this.#pending.take(pending);
        reject(error);
      },
    );
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watch);
    await this.#log[Symbol.asyncDispose]();
  }

  #show(changes: readonly FlowChange[], seq: number): void {
    const { distribution, site } = this.#options;
    for (const { key, after } of changes) {
      if (after) distribution.put(site, after, seq);
      else distribution.remove(site, key, seq);
    }
  }

  #giveUp(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [, { startedMs, fail }] of this.#pending) {
      if (nowMs - startedMs < recordWithinMs) return;
      fail(new DualhomeError('LOG_BUSY', { detail: 'The database does not answer.' }));
    }
  }
}

function plannerOf(site: string): Planner<Request, number> {
  return {
    wanted: () => ({ table: flow.table, keys: [] }),
    plan: ({ changes, actor, reason }, _, slot) => ({
      answer: slot.seq,
      change: {
        event: rowsChangedEvent(registrationLog, flow, changes, { site, actor, reason, ...slot }),
        table: flow.table,
        rows: changes.map(({ key, after }) => ({ key, row: after })),
      },
    }),
  };
}
