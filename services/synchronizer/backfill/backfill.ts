import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { LogName } from '../../protocol/names.ts';
import { ChainCheck } from '../../log/chain.ts';
import { chainRun } from '../../log/event.ts';
import type { LoggedEvent } from '../../log/event.ts';
import type { Base } from '../../log/held.ts';
import { readAfter } from '../../log/read.ts';
import { failpoint } from '../../platform/lifecycle/failpoint.ts';
import type { JobWork } from '../jobs/runner.ts';
import { copyingOf, sendingOf } from '../peer-logs.ts';
import type { SynchronizerContext } from '../ports.ts';
import { findGap, insertHistory } from '../store/gap.ts';

const page = { eventsMax: 2_000, bytesMax: 2 * 1024 * 1024 } as const;

const askSchema = z.strictObject({ log: z.enum(LogName), after: z.int().nonnegative() });
const pageSchema = z.object({
  events: z.array(z.object({ timeMs: z.int(), body: z.base64() })).max(page.eventsMax),
});

/** Lets peers read the history of this site's log, page by page. */
export function serveHistory(context: SynchronizerContext): Disposable {
  const { handlers, reservations } = context;
  return handlers.register('log.page', askSchema, async ({ log, after }, { peer }) => {
    const { own } = sendingOf(context, peer, log);
    reservations.touch(log, `history of ${peer}`, after);
    const events = await readAfter(own.database, after, page);
    return { events: events.map(({ timeMs, body }) => ({ timeMs, body: body.toString('base64') })) };
  });
}

/**
 * Fetches the history a snapshot has left out, oldest first, so that "complete from" grows only when it
 * is: each event is proven to follow from the one before, and the last one to lead to the snapshot's
 * hash. What was fetched stays, so an interrupted backfill goes on where it was.
 */
export function backfillWork({ peers, reservations }: SynchronizerContext): JobWork {
  return async (job, { signal, phase, count }) => {
    const { link, copy } = copyingOf(peers, job.peer, job.log);
    using _reserved = reservations.hold(`${job.peer}/${job.log}`, 0);
    let events = 0;
    let bytes = 0;
    phase('fetching history');
    for (;;) {
      signal.throwIfAborted();
      const gap = await findGap(copy.database);
      if (!gap) return { events, bytes, complete: true };
      await link.whenUp(signal);
      const answer = await link.request('log.page', { log: job.log, after: gap.from.seq }, pageSchema, {
        signal,
      });
      const fetched = answer.events
        .slice(0, gap.to.seq - gap.from.seq)
        .map(({ timeMs, body }) => ({ timeMs, body: Buffer.from(body, 'base64') }));
      if (fetched.length === 0) return { events, bytes, complete: false };
      const run = proven(gap.from, gap.to, fetched);
      failpoint('backfill.before-insert');
      await insertHistory(copy.database, run);
      events += fetched.length;
      bytes += fetched.reduce((sum, { body }) => sum + body.length, 0);
      const missing = gap.to.seq - gap.from.seq - fetched.length;
      count({ rowsDone: events, rowsTotal: events + missing, bytesDone: bytes, bytesTotal: null });
    }
  };
}

/** @throws LOG_BROKEN where the events are not the ones between the two points */
function proven(from: Base, to: Base, events: readonly LoggedEvent[]) {
  const start = { incarnation: from.incarnation ?? '', seq: from.seq, hash: from.hash };
  const run = chainRun(start, events);
  const check = new ChainCheck(from);
  events.forEach(({ timeMs, body }, index) => {
    const hash = run.hashes[index];
    if (hash) check.check({ seq: from.seq + index + 1, timeMs, body, hash });
  });
  if (run.to.seq === to.seq && !run.to.hash.equals(to.hash))
    throw new DualhomeError('LOG_BROKEN', {
      detail: `The history of the peer leads to another event ${to.seq} than its snapshot.`,
      facts: { seq: to.seq },
    });
  return run;
}
