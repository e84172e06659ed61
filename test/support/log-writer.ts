import * as fc from 'fast-check';
import { number } from '../../services/model/number.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import type { Kind } from '../../services/model/kind.ts';
import { keyOf } from '../../services/model/kind.ts';
import type { Row } from '../../services/model/table.ts';
import type { PipelineSession } from '../../services/platform/postgres/pipeline.ts';
import type { Position } from '../../services/protocol/position.ts';
import { aNumber, aSubscriber } from './builders.ts';
import { appendEvents } from './log.ts';
import type { AppendedEvent } from './log.ts';

/** A change as a property test draws it: which rows of a kind, and what becomes of them. */
export type DrawnEvent = {
  readonly kind: Kind;
  readonly rows: readonly { readonly n: number; readonly after: Row | null }[];
};

const display = fc.option(
  fc.string({ unit: fc.constantFrom('a', 'ß', '\\', '"', ',', '\u{1F4DE}'), minLength: 1, maxLength: 8 }),
  {
    nil: null,
  },
);

const drawnRow = (kind: Kind, max: number) =>
  fc
    .record({ n: fc.integer({ min: 1, max }), display, isDeleted: fc.boolean() })
    .map(({ n, display, isDeleted }) => ({
      n,
      after: isDeleted
        ? null
        : kind === subscriber
          ? aSubscriber(n, { display_name: display })
          : aNumber(n, { aor: `${n}@c1.example` }),
    }));

/** Events over few keys, so that rows are added, changed, deleted and added again. */
export const drawnEvents = fc.array(
  fc
    .constantFrom<Kind>(subscriber, number)
    .chain((kind) =>
      fc
        .uniqueArray(drawnRow(kind, 12), { selector: ({ n }) => n, minLength: 1, maxLength: 6 })
        .map((rows): DrawnEvent => ({ kind, rows })),
    ),
  { minLength: 1, maxLength: 25 },
);

/** Writes a home's log, and remembers its rows so that events carry what was before. */
export class LogWriter {
  readonly #session: PipelineSession;
  readonly #rows = new Map<string, Row>();

  constructor(session: PipelineSession) {
    this.#session = session;
  }

  async append(events: readonly DrawnEvent[]): Promise<Position> {
    return await appendEvents(
      this.#session,
      events.map((event) => this.#changeOf(event)),
    );
  }

  #changeOf({ kind, rows }: DrawnEvent): AppendedEvent {
    const changes = rows.map(({ n, after }) => {
      const key = keyOf(kind, kind === subscriber ? aSubscriber(n) : aNumber(n));
      const id = `${kind.name}/${key}`;
      const before = this.#rows.get(id) ?? null;
      if (after) this.#rows.set(id, after);
      else this.#rows.delete(id);
      return { key, before, after };
    });
    return { kind, changes };
  }
}

/** One event that adds subscribers `from` up to but without `to`. */
export const subscribers = (from: number, to: number): DrawnEvent => ({
  kind: subscriber,
  rows: Array.from({ length: to - from }, (_, i) => ({ n: from + i, after: aSubscriber(from + i) })),
});
