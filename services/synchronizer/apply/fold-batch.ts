import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Position } from '../../protocol/position.ts';
import type { TableChange } from '../../model/table.ts';
import { eventTimeOf } from '../../log/event-time.ts';
import type { Run } from '../../log/event.ts';
import type { BegunAt, LogDefinition } from '../../log/definition.ts';
import type { Batch } from './inbox.ts';

export type FoldedBatch = { readonly run: Run; readonly changes: readonly TableChange[] };

/**
 * What a batch that follows `from` does to a standby. An incarnation may begin in it only where it
 * goes on from exactly the position before.
 *
 * @throws EVENT_UNREADABLE, or LOG_BROKEN for an incarnation that does not continue
 */
export function foldBatch(from: Position, batch: Batch, definition: LogDefinition): FoldedBatch {
  const { firstSeq, bodies, hashes } = batch;
  const events = bodies.map((body, i) => ({ timeMs: eventTimeOf(body, firstSeq + i), body }));
  const { changes, begun } = definition.fold(events, firstSeq);
  const incarnation = begun.reduce((current, begin) => {
    const hash = hashes[begin.seq - firstSeq - 1] ?? from.hash;
    checkParent(begin, { incarnation: current, seq: begin.seq - 1, hash });
    return begin.incarnation;
  }, from.incarnation);
  const to = { incarnation, seq: from.seq + events.length, hash: hashes.at(-1) ?? from.hash };
  return { run: { from, to, events, hashes }, changes };
}

function checkParent({ seq, parent }: BegunAt, before: Position): void {
  const continues =
    parent === null
      ? before.seq === 0
      : parent.incarnation === before.incarnation &&
        parent.seq === before.seq &&
        parent.hash === before.hash.toString('hex');
  if (continues) return;
  throw new DualhomeError('LOG_BROKEN', {
    detail: `Event ${seq} begins an incarnation that does not go on from the position before it.`,
    facts: { seq },
  });
}
