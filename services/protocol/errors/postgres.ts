import { defineErrors } from './define.ts';

/** PostgreSQL servers and connections. */
export const postgresErrors = defineErrors({
  POSTGRES_UNREACHABLE: {
    summary: 'A database does not answer.',
    action:
      'See server.log in the data directory; an embedded server is restarted by itself, another is yours to start.',
    retry: 'later',
    http: 503,
  },
  POSTGRES_REFUSED: {
    summary: 'A database refused the login.',
    action: 'Compare role, password and database name in the URL with the server, and its pg_hba.conf.',
    retry: 'no',
    http: 503,
  },
  POSTGRES_TIMEOUT: {
    summary: 'A statement took longer than its limit and was cancelled.',
    action: 'Look for a lock or an overloaded disk (pg_stat_activity, pg_locks); the work is tried again.',
    retry: 'later',
    http: 503,
  },
  POSTGRES_OUT_OF_RESOURCES: {
    summary: 'A database ran out of disk, memory or connections.',
    action: 'Free the resource the message names; nothing was changed.',
    retry: 'later',
    http: 503,
  },
  POSTGRES_COMMIT_UNKNOWN: {
    summary: 'The connection broke while a transaction was being committed.',
    action: 'None: the outcome is found out by reading back before anything is tried again.',
    retry: 'no',
    http: 503,
  },
  POSTGRES_TRANSACTION_ABORTED: {
    summary: 'A COMMIT was answered with ROLLBACK, because a statement before it had failed.',
    action: 'None: nothing was changed. If it repeats, report it with the statement that failed.',
    retry: 'no',
    http: 500,
  },
  POSTGRES_BINARIES_MISSING: {
    summary: 'The PostgreSQL server binaries are not installed.',
    action:
      'Run npm ci without --omit=optional on Linux x64 with glibc, or name a server of yours by its URL in site.yaml.',
    retry: 'no',
    http: 500,
  },
  POSTGRES_DATA_DIRECTORY: {
    summary: 'A data directory cannot be used by the embedded PostgreSQL server.',
    action: 'Follow the message: give another directory, its rights, or the version that wrote it.',
    retry: 'no',
    http: 500,
  },
  POSTGRES_IN_USE: {
    summary: 'Another running process looks after this data directory.',
    action: 'Stop the process the message names, or use another data directory.',
    retry: 'later',
    http: 500,
  },
  POSTGRES_PORT_TAKEN: {
    summary: 'The port of an embedded PostgreSQL server is taken.',
    action: 'Stop the program that listens there, or choose another port.',
    retry: 'later',
    http: 500,
  },
  POSTGRES_START_FAILED: {
    summary: 'An embedded PostgreSQL server did not start.',
    action: 'Read the end of its log, which the message carries.',
    retry: 'later',
    http: 500,
  },
});
