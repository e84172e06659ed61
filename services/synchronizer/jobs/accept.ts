import { emptyCopy } from '../../log/empty-copy.ts';
import { logNamed } from '../../log/definition.ts';
import { copyingOf } from '../peer-logs.ts';
import type { SynchronizerContext } from '../ports.ts';
import type { JobWork } from './runner.ts';

/**
 * An operator gives up the copy of a peer's log for the peer's present history, which does not go on from it: a new
 * incarnation after a restore, or a log that began anew. What follows is what follows for any empty copy: events from
 * the first, or a snapshot.
 */
export function acceptWork({ peers, log }: SynchronizerContext): JobWork {
  return async (job, { signal, phase }) => {
    const { apply, copy } = copyingOf(peers, job.peer, job.log);
    phase('giving up the copy');
    const given = await apply.exclusive(async (cursor) => {
      await emptyCopy(copy.database, logNamed(job.log), cursor, copy.schema);
      return cursor;
    }, signal);
    const { incarnation, seq } = given;
    log.warn({ peer: job.peer, log: job.log, incarnation, seq }, 'the copy was given up');
    return { givenUp: { incarnation, seq } };
  };
}
