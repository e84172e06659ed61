import { defineErrors } from './define.ts';

/** Jobs. */
export const jobErrors = defineErrors({
  JOB_NOT_FOUND: {
    summary: 'There is no job with this id.',
    action: 'See `dualhome jobs list`.',
    retry: 'no',
    http: 404,
  },
  JOB_PEER_UNKNOWN: {
    summary: 'The job names a site that is not a peer of this one.',
    action: 'Use the name of a peer, as `dualhome status` shows them.',
    retry: 'no',
    http: 422,
  },
  JOB_NOT_RETRIABLE: {
    summary: 'Only a job that has ended can be run again.',
    action: 'Wait until it ends, or cancel it first.',
    retry: 'later',
    http: 409,
  },
  JOB_CANCELLED: {
    summary: 'The job was cancelled.',
    action: 'None. `dualhome jobs retry` starts it again.',
    retry: 'no',
    http: 409,
  },
  JOB_FENCED: {
    summary: 'Another attempt of this job has begun; this one may no longer write.',
    action: 'None: the newer attempt goes on. If it repeats, two synchronizers run for this site.',
    retry: 'no',
    http: 409,
  },
  JOB_INTERRUPTED: {
    summary: 'The synchronizer was stopped while the job ran.',
    action: 'None: it goes on with the next start.',
    retry: 'yes',
    http: 503,
  },
  JOB_DEFECT: {
    summary: 'The job failed for a reason dualhome does not know.',
    action: 'See the log of the synchronizer at the time of the failure and report it.',
    retry: 'later',
    http: 500,
  },
  JOB_PEER_FAILED: {
    summary: 'The part of the job that runs at the peer failed.',
    action: 'See the job of the same id at the peer: `dualhome jobs show`.',
    retry: 'later',
    http: 502,
  },
});
