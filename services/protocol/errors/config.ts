import { defineErrors } from './define.ts';

/** Changes of the configuration. */
export const configErrors = defineErrors({
  CONFIG_KIND_UNKNOWN: {
    summary: 'There is no configuration kind of this name.',
    action: 'Use one of the kinds that GET /v1/kinds lists.',
    retry: 'no',
    http: 404,
  },
  CONFIG_NOT_FOUND: {
    summary: 'There is no row with this key.',
    action: 'Compare the key with those that are configured.',
    retry: 'no',
    http: 404,
  },
  CONFIG_INVALID: {
    summary: 'The row is not valid.',
    action: 'Correct the fields that are listed; GET /v1/kinds says what each may hold.',
    retry: 'no',
    http: 422,
  },
  CONFIG_STALE: {
    summary: 'The row has been changed since it was read.',
    action: 'Look at the row as it is now, which the answer carries, and make the change again on top of it.',
    retry: 'no',
    http: 409,
  },
  CONFIG_NOT_APPLIED: {
    summary: 'The change is durable here, but not every peer has applied it in time.',
    action:
      'Nothing has to be repeated: it is applied when the peer is reached again. See `dualhome status`.',
    retry: 'no',
    http: 504,
  },
  CONFIG_EVENT_TOO_LARGE: {
    summary: 'The change makes an event that is larger than the limit.',
    action: 'Change fewer rows at once.',
    retry: 'no',
    http: 413,
  },
});
