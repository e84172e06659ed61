import { defineErrors } from './define.ts';

/** The link between two sites, and the lanes on it. */
export const linkErrors = defineErrors({
  LINK_UNREACHABLE: {
    summary: 'The peer cannot be reached at its address.',
    action:
      "Check the address in site.yaml, the network and firewall between the sites, and that the peer's synchronizer runs; it is dialled again by itself.",
    retry: 'later',
    http: 503,
  },
  LINK_DOWN: {
    summary: 'The link to the peer is down.',
    action:
      'See in `dualhome status` since when and why; the link comes back by itself when the cause is gone.',
    retry: 'later',
    http: 503,
  },
  LINK_CLOSED: {
    summary: 'The connection to the peer was closed.',
    action: 'None: it is made again by itself. If it repeats, read the log of the peer.',
    retry: 'later',
    http: 503,
  },
  LINK_SILENT: {
    summary: 'Nothing was heard from the peer for three heartbeats.',
    action:
      'None: the connection is made again by itself. If it repeats, look at the network and the load of the peer.',
    retry: 'later',
    http: 503,
  },
  LINK_STOPPED: {
    summary: 'The synchronizer at the other end was stopped.',
    action: 'Start it again when the work on that site is done.',
    retry: 'later',
    http: 503,
  },
  LINK_SUPERSEDED: {
    summary: 'A newer connection of the same site has taken over.',
    action: 'None, unless it repeats: then two synchronizers run for that site, and one has to be stopped.',
    retry: 'later',
    http: 503,
  },
  LINK_FRAME_INVALID: {
    summary: 'What came from the peer is not the protocol of the link; the connection was cut.',
    action:
      'If it repeats, check that the address is that of a synchronizer and that nothing between the sites rewrites the traffic; compare the software versions.',
    retry: 'later',
    http: 502,
  },
  LINK_PEER_UNKNOWN: {
    summary: 'A site that is no peer of this one asks for a link.',
    action:
      'Pair the two sites (`dualhome pair invite`, `dualhome pair join`), or remove the peer at the other one.',
    retry: 'later',
    http: 403,
  },
  LINK_PEER_MISMATCH: {
    summary: 'The other end is not the site it is taken for.',
    action: "Compare the peer's name and address in site.yaml with the certificate that was presented.",
    retry: 'later',
    http: 403,
  },
  LINK_PROTOCOL_UNSUPPORTED: {
    summary: 'The two sites have no version of the link protocol in common; heartbeats go on, the logs wait.',
    action: 'Upgrade the site with the older software, one version at a time; the logs go on by themselves.',
    retry: 'later',
    http: 503,
  },
  LINK_LOG_NOT_SENT: {
    summary: 'The peer is not configured to send this log here.',
    action: 'Set `sends` at the peer and `receives` here to the same, in both site.yaml.',
    retry: 'later',
    http: 409,
  },
  LINK_HOME_UNAVAILABLE: {
    summary: 'The peer cannot read its own log, so it cannot send it.',
    action: "See what is wrong with the peer's home database; the lane goes on by itself.",
    retry: 'later',
    http: 503,
  },
  LINK_SNAPSHOT_NEEDED: {
    summary: 'The peer no longer holds the events that follow the position of this standby.',
    action: 'Run `dualhome resync` at the peer or `dualhome pull` here.',
    retry: 'later',
    http: 409,
  },
  LINK_PEER_RESTORED: {
    summary:
      "The peer's log is older than what this standby holds of it, or unknown to it: the peer was emptied, restored or rolled back.",
    action:
      'Nothing was overwritten: this standby may hold the only good copy. Decide at the peer: rebuild it from here (infra/runbooks/restored-home.md), or accept its state (`dualhome log begin-incarnation`, then resync).',
    retry: 'later',
    http: 409,
  },
  LINK_INCARNATION_REPLACED: {
    summary:
      'The peer has begun a new incarnation of its log before the position of this standby, which holds changes the peer gave up.',
    action:
      'Compare both (`dualhome log replay`). To give up those changes here too, resync from the peer, naming the new incarnation.',
    retry: 'later',
    http: 409,
  },
  LINK_FORKED: {
    summary: 'The peer and this standby hold different events at the same position of the same incarnation.',
    action:
      'Nothing is applied any more. Keep both databases, find the first differing event with `dualhome log verify`, then decide which history goes on.',
    retry: 'later',
    http: 409,
  },
  LINK_STANDBY_RESTORED: {
    summary:
      'This standby is older than what it has acknowledged: its database was emptied, restored or rolled back.',
    action:
      'None if the peer still holds the missing events: they are applied again. Otherwise resync. Find out who restored the database.',
    retry: 'later',
    http: 409,
  },
  LINK_EVENT_REFUSED: {
    summary: 'The standby database refuses an event.',
    action:
      'Read the message of the database. If the schema of this site is older than that of its peer, upgrade this site; otherwise resync. The lane goes on by itself from the event named.',
    retry: 'later',
    http: 500,
  },
  LINK_MARK_PASSED: {
    summary: 'The lane has already applied events beyond the position asked for.',
    action: 'None: the comparison is tried again at a newer position.',
    retry: 'yes',
    http: 409,
  },
  LINK_REQUEST_TIMEOUT: {
    summary: 'The peer did not answer a request in time; whether it acted on it is unknown.',
    action: 'None: requests are made to be repeated. If it repeats, look at the load of the peer.',
    retry: 'later',
    http: 504,
  },
  LINK_REQUEST_INVALID: {
    summary: 'A request or its answer is not as this version expects it.',
    action: 'Compare the software versions of both sites.',
    retry: 'no',
    http: 502,
  },
  LINK_REQUEST_UNKNOWN: {
    summary: 'The peer does not know this request.',
    action: 'Upgrade the site with the older software.',
    retry: 'no',
    http: 501,
  },
  LINK_REQUEST_FAILED: {
    summary: 'The peer failed while it handled a request.',
    action: 'Read the log of the peer.',
    retry: 'later',
    http: 502,
  },
  LINK_REQUESTS_MAX: {
    summary: 'The peer is handling as many requests of this site as it may.',
    action: 'None: it is asked again.',
    retry: 'yes',
    http: 503,
  },
});
