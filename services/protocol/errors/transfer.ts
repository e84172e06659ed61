import { defineErrors } from './define.ts';

/** Snapshots: making, checking and swapping them in. */
export const transferErrors = defineErrors({
  TRANSFER_CHUNK_BROKEN: {
    summary: 'A file of a snapshot is not what its sender made: truncated, altered, or another one.',
    action:
      'None: it was not imported and is fetched again. If it repeats, look for a failing disk or proxy.',
    retry: 'yes',
    http: 502,
  },
  TRANSFER_MANIFEST_BROKEN: {
    summary: 'The manifest of a snapshot is not signed by the peer, or does not list exactly what arrived.',
    action:
      'Nothing was imported. If it repeats, compare the key of the peer (`dualhome pair invite` and `join` exchange it anew).',
    retry: 'later',
    http: 502,
  },
  TRANSFER_MANIFEST_FOREIGN: {
    summary: 'The manifest belongs to another transfer, site or log.',
    action:
      'Nothing was imported. Start the transfer again; if it repeats, someone replays files of an older one.',
    retry: 'later',
    http: 502,
  },
  TRANSFER_FORMAT_UNKNOWN: {
    summary: 'A snapshot has a format, tables or columns that this version does not know.',
    action: 'Upgrade the older of the two sites, then start the transfer again.',
    retry: 'later',
    http: 502,
  },
  TRANSFER_HOME_EMPTY: {
    summary: 'The peer has no configuration, but this standby holds its copy; it was not replaced.',
    action:
      'Find out why the peer is empty. To bring it back from this copy, follow infra/runbooks/restored-home.md.',
    retry: 'no',
    http: 409,
  },
  TRANSFER_OTHER_INCARNATION: {
    summary: 'The snapshot is of another incarnation than the standby; it was not replaced.',
    action:
      'The peer was restored or made anew. Compare both (`dualhome status`), then rebuild the peer from this copy (`dualhome site save-copy`, `site rebuild`), or accept its state (`dualhome pair accept`).',
    retry: 'no',
    http: 409,
  },
  TRANSFER_FORKED: {
    summary: 'The snapshot and the standby have different events at the same seq.',
    action: 'Nothing was replaced. Keep both databases and compare them by `dualhome log verify`.',
    retry: 'no',
    http: 409,
  },
  TRANSFER_OUTDATED: {
    summary:
      'The standby has gone on, and the events needed to bring the snapshot up to it are no longer held.',
    action: 'None: the transfer starts again at a newer point.',
    retry: 'yes',
    http: 409,
  },
  TRANSFER_STANDBY_BEHIND: {
    summary: 'A part of a newer state cannot replace a part of a standby that has not reached it.',
    action: 'Wait until the standby has caught up, or transfer everything.',
    retry: 'later',
    http: 409,
  },
  TRANSFER_VERIFICATION_FAILED: {
    summary: 'What was imported is not what was sent.',
    action:
      'Nothing was replaced. Start the transfer again; if it repeats, keep server.log and check disk and memory of the machine.',
    retry: 'later',
    http: 500,
  },
  TRANSFER_LOCKED: {
    summary: 'The standby was in use for so long that the new copy could not be swapped in.',
    action: 'None: it is tried again. Look for a long transaction (pg_stat_activity) if it repeats.',
    retry: 'later',
    http: 503,
  },
  TRANSFER_LOST: {
    summary: 'The receiving site no longer knows this transfer, because its synchronizer was restarted.',
    action: 'None: the transfer starts again at a newer point.',
    retry: 'yes',
    http: 409,
  },
  TRANSFER_BUSY: {
    summary: 'Another transfer into the same copy is being put in place.',
    action: 'None: it is tried again.',
    retry: 'later',
    http: 409,
  },
  TRANSFER_NO_SPACE: {
    summary: 'There is not enough room on the disk for a snapshot.',
    action: 'Free some space in the data directory named; the transfer is tried again by itself.',
    retry: 'later',
    http: 507,
  },
});
