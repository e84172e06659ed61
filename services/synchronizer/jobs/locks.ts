import type { JobAttempt } from '../store/job-store.ts';

/**
 * What a job needs for itself: at most one transfer at a time fills a copy, one leaves, and one
 * verification reads it. Coordinating jobs (`bootstrap`) hold nothing, since their parts do.
 */
export function locksOf({ kind, peer, log }: Pick<JobAttempt, 'kind' | 'peer' | 'log'>): readonly string[] {
  switch (kind) {
    case 'bootstrap':
      return [];
    case 'resync':
      return [`to/${peer}/${log}`];
    case 'pull':
    case 'backfill':
    case 'accept':
      return [`from/${peer}/${log}`];
    case 'verify':
      return [`verify/${peer}/${log}`];
  }
}

/** The due jobs that may begin beside those that run, in their order. Pure. */
export function startable(
  due: readonly JobAttempt[],
  held: ReadonlySet<string>,
  places: number,
): readonly JobAttempt[] {
  const taken = new Set(held);
  const chosen: JobAttempt[] = [];
  for (const job of due) {
    const locks = locksOf(job);
    if (chosen.length === places) break;
    if (locks.some((lock) => taken.has(lock))) continue;
    for (const lock of locks) taken.add(lock);
    chosen.push(job);
  }
  return chosen;
}
