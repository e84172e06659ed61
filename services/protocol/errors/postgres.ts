import { defineErrors } from './define.ts';

/** PostgreSQL servers and connections. */
export const postgresErrors = defineErrors({
  POSTGRES_UNREACHABLE: {
    summary: 'A database does not answer.',
    action:
      'See the server log in the data directory; an embedded server is restarted by itself, another is yours to start.',
    retry: 'later',
    http: 503,
  },
});
