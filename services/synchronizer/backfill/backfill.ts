import { z } from 'zod';
import { DualhomeError, isDualhomeError } from '../../protocol/errors/index.ts';
import { LogName } from '../../protocol/names.ts';
import { ChainCheck } from '../../log/chain.ts';
import { chainRun } from '../../log/event.ts';
import type { LoggedEvent } from '../../log/event.ts';
import type { Base } from '../../log/held.ts';
import { readAfter } from '../../log/read.ts';
import { failpoint } from '../../platform/lifecycle/failpoint.ts';
import type { Database } from '../../platform/postgres/database.ts';
import type { JobContext, JobWork } from '../jobs/runner.ts';
import { copyingOf, sendingOf } from '../peer-logs.ts';
import type { SynchronizerContext } from '../ports.ts';
import { dropStaged, findGap, lastStaged, openStaged, publishStaged, stage } from '../store/gap.ts';

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
 * Fetches the history a snapshot has left out, oldest first. Each event is proven to follow from the one before, but
 * only the last one, which leads to the snapshot's hash, proves that it is this history and not another one that was
 * made up: until then they wait beside the log, and enter it all at once. What was fetched stays while the job lasts, so
 * that one that was interrupted goes on where it was.
 */
export function backfillWork({ peers, reservations }: SynchronizerContext): JobWork {
  return async (job, context) => {
    const { link, copy } = copyingOf(peers, job.peer, job.log);
    using _reserved = reservations.hold(`${job.peer}/${job.log}`, 0);
    if (job.attempts === 1) await dropStaged(copy.database);
    context.phase('fetching history');
    const fetchPage = async (after: number): Promise<readonly LoggedEvent[]> => {
      const { signal } = context;
      await link.whenUp(signal);
      const answer = await link.request('log.page', { log: job.log, after }, pageSchema, { signal });
      return answer.events.map(({ timeMs, body }) => ({ timeMs, body: Buffer.from(body, 'base64') }));
    };
    try {
      return await fillGaps(copy.database, fetchPage, context);
    } catch (error) {
      // Which of the events are the ones made up is not known.
      if (isDualhomeError(error, 'LOG_BROKEN')) await dropStaged(copy.database);
      throw error;
    }
  };
}

type FetchPage = (after: number) => Promise<readonly LoggedEvent[]>;

async function fillGaps(
  copy: Database,
  fetchPage: FetchPage,
  { signal, count }: JobContext,
): Promise<{ readonly events: number; readonly bytes: number; readonly complete: boolean }> {
  const size = { events: 0, bytes: 0 };
  for (;;) {
    signal.throwIfAborted();
    const gap = await findGap(copy);
    if (!gap) return { ...size, complete: true };
    await openStaged(copy);
    const from = (await lastStaged(copy)) ?? gap.from;
    const missing = gap.to.seq - from.seq;
    if (missing === 0) {
      failpoint('backfill.before-publish');
      await publishStaged(copy);
      continue;
    }
    const fetched = (await fetchPage(from.seq)).slice(0, missing);
    if (fetched.length === 0) return { ...size, complete: false };
    const run = proven(from, gap.to, fetched);
    failpoint('backfill.before-insert');
    await stage(copy, run);
    size.events += fetched.length;
    size.bytes += fetched.reduce((sum, { body }) => sum + body.length, 0);
    const rowsTotal = size.events + missing - fetched.length;
    count({ rowsDone: size.events, rowsTotal, bytesDone: size.bytes, bytesTotal: null });
  }
}

/** The events chained. @throws LOG_BROKEN where they do not follow from the one point, or lead past the other */
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
