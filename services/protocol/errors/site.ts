import { defineErrors } from './define.ts';

/** A site's configuration file, its files on disk and its supervisor. */
export const siteErrors = defineErrors({
  SITE_CONFIG_UNREADABLE: {
    summary: 'site.yaml cannot be read.',
    action: 'Name it with -c, or make one with `dualhome site init`.',
    retry: 'no',
    http: 500,
  },
  SITE_CONFIG_INVALID: {
    summary: 'site.yaml is not valid.',
    action:
      'Correct the lines that are listed; infra/reference/configuration.md says what each key may hold.',
    retry: 'no',
    http: 500,
  },
  SITE_CHECK_FAILED: {
    summary: 'The site cannot start as things are.',
    action: 'Correct what is listed; `dualhome site check` looks again without starting anything.',
    retry: 'no',
    http: 500,
  },
  SITE_EXISTS: {
    summary: 'There is a site already.',
    action: 'Choose another directory. To begin anew, remove the old one yourself: its databases go with it.',
    retry: 'no',
    http: 409,
  },
  SITE_SECRETS_MISSING: {
    summary: 'A key of the site is missing.',
    action:
      'Restore data_dir/secrets and data_dir/certificates from a backup: without them the data cannot be used.',
    retry: 'no',
    http: 500,
  },
  SITE_RUNNING: {
    summary: 'The site is running already.',
    action: 'Use it as it runs, or stop it with `dualhome site stop`.',
    retry: 'no',
    http: 409,
  },
  SITE_NOT_RUNNING: {
    summary: 'The site is not running.',
    action: 'Start it with `dualhome site start`.',
    retry: 'later',
    http: 503,
  },
  SITE_PORTS_EXHAUSTED: {
    summary: 'loopback_ports has no free port left.',
    action: 'Widen the range in site.yaml, or end the program that listens in it.',
    retry: 'no',
    http: 500,
  },
  SITE_DATABASE_TOO_OLD: {
    summary: 'A database server is older than PostgreSQL 17.',
    action: 'Upgrade it, or use "embedded" in site.yaml.',
    retry: 'no',
    http: 500,
  },
  SITE_DATABASE_RIGHTS_MISSING: {
    summary: 'The role in the URL of a database may not do there what a site needs.',
    action:
      'Have an administrator of that server run what is listed, then look again with `dualhome site check`.',
    retry: 'no',
    http: 500,
  },
  SITE_COPY_UNUSABLE: {
    summary: 'The directory is no saved copy of this site.',
    action: 'Name the directory that `dualhome site save-copy` has made at the peer.',
    retry: 'no',
    http: 409,
  },
  SITE_HOME_NOT_EMPTY: {
    summary: 'The home database holds events; it is not replaced by itself.',
    action: 'Make sure that the copy is the state to keep, then say so as shown.',
    retry: 'no',
    http: 409,
  },
  SITE_PROGRAM_NOT_READY: {
    summary: 'A program of the site did not become ready in time.',
    action: 'Read the end of its log in data_dir/logs; it is started again by itself.',
    retry: 'later',
    http: 500,
  },
});
