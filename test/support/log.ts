import { randomUUID } from 'node:crypto';
import { commitRun } from '../../services/log/commit-run.ts';
import type { EventContext } from '../../services/log/events.ts';
import { configurationLog } from '../../services/log/definition.ts';
import { incarnationBegunEvent, rowsChangedEvent } from '../../services/log/events.ts';
import { chainRun } from '../../services/log/event.ts';
import { readHead } from '../../services/log/head.ts';
import type { Change } from '../../services/log/events.ts';
import type { Kind } from '../../services/model/kind.ts';
import type { PipelineSession } from '../../services/platform/postgres/pipeline.ts';
import type { Position } from '../../services/protocol/position.ts';

/** One event to append: the rows it changes. */
export type AppendedEvent = { readonly kind: Kind; readonly changes: readonly Change[] };

/**
 * Appends events at home as the api does, without the api: an incarnation first where the log is
 * still empty, all in one transaction. Returns the position after them.
 */
export async function appendEvents(
  session: PipelineSession,
  events: readonly AppendedEvent[],
  { log = configurationLog, site = 'c1', timeMs = Date.now() } = {},
): Promise<Position> {
  const from = await readHead(session);
  const incarnation = from.seq === 0 ? randomUUID() : from.incarnation;
  const context = (seq: number): EventContext => ({
    site,
    incarnation,
    seq,
    timeMs,
    actor: { name: 'test', role: 'program' },
    reason: 'a test',
  });
  const begun = from.seq === 0 ? [incarnationBegunEvent(null, context(1))] : [];
  const firstSeq = from.seq + begun.length + 1;
  const changed = events.map(({ kind, changes }, i) =>
    rowsChangedEvent(log, kind, changes, context(firstSeq + i)),
  );
  const logged = [...begun, ...changed];
  const run = chainRun(from, logged, incarnation);
  await commitRun(session, run, log.fold(logged, from.seq + 1).changes);
  return run.to;
}
