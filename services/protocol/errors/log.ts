import { defineErrors } from './define.ts';

/** The configuration and registration logs. */
export const logErrors = defineErrors({
  LOG_FENCED: {
    summary: 'Another process has written this log; this one no longer may.',
    action:
      'Make sure that only one api (or one synchronizer) runs for this database; the one refused starts anew by itself.',
    retry: 'later',
    http: 503,
  },
  LOG_RESTORED: {
    summary:
      'This log is older than what was seen of it before: its database was emptied, restored or rolled back.',
    action:
      'Compare with the peer (`dualhome status`). Then either rebuild this site from its peer, or accept its state with `dualhome log begin-incarnation`.',
    retry: 'no',
    http: 503,
  },
  LOG_FORKED: {
    summary: 'A peer holds another event than this log at the same position of the same incarnation.',
    action:
      'Nothing is appended any more. Keep both databases, find the first differing event with `dualhome log verify`, then decide which history goes on (infra/runbooks/fork.md).',
    retry: 'no',
    http: 503,
  },
  LOG_BROKEN: {
    summary: 'The hash chain of the log does not hold.',
    action:
      'The event named was altered or damaged after it was written. Keep both databases, compare with the peer by `dualhome log verify`.',
    retry: 'no',
    http: 500,
  },
  LOG_NOT_HELD: {
    summary: 'The log does not hold events that far back.',
    action:
      'Name a later seq; `dualhome log verify` tells from where the log is complete. A standby fetches older events in the background; what was pruned is gone, and `dualhome log show` reads what is held.',
    retry: 'later',
    http: 404,
  },
  LOG_PEER_NEEDS_RESYNC: {
    summary: 'The log has outgrown its limit and no longer holds events that this peer has not applied.',
    action:
      'None once the peer is back: it fetches a snapshot by itself. Raise log_retention.size_mb_max in site.yaml if it should bridge longer absences.',
    retry: 'later',
    http: 409,
  },
  LOG_NOT_REACHED: {
    summary: 'The log has not reached that seq.',
    action: 'Name a seq up to the head, which `dualhome status` shows.',
    retry: 'later',
    http: 404,
  },
  LOG_BUSY: {
    summary: 'Too many changes wait to be written.',
    action: 'Nothing: ask again after the time named, or send fewer at once.',
    retry: 'later',
    http: 503,
  },
  LOG_CLOSED: {
    summary: 'The log takes no more changes, because its program is being stopped.',
    action: 'Ask again when the program has started anew.',
    retry: 'later',
    http: 503,
  },
  EVENT_UNREADABLE: {
    summary: 'An event is malformed or of a format this version does not know.',
    action: 'Upgrade this site to the version of its peer; the lane goes on by itself from the event named.',
    retry: 'later',
    http: 500,
  },
});
