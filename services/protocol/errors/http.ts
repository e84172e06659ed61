import { defineErrors } from './define.ts';

/** Requests to an HTTP API and their answers. */
export const httpErrors = defineErrors({
  API_UNREACHABLE: {
    summary: 'The API does not answer.',
    action:
      'Check that the program runs and that its address is right; the log of the program says why it stopped.',
    retry: 'later',
    http: 503,
  },
  API_TIMEOUT: {
    summary: 'The API did not answer in time; whether it did what was asked is unknown.',
    action: 'Look at the current state before you ask again.',
    retry: 'later',
    http: 504,
  },
  API_ANSWER_INVALID: {
    summary: 'The answer is not one of this API.',
    action:
      'Check the address: a proxy or another service may have answered. Otherwise update the older side.',
    retry: 'no',
    http: 502,
  },
  API_REQUEST_INVALID: {
    summary: 'The request is not valid.',
    action: 'Correct the fields that are listed; the API description says what each may hold.',
    retry: 'no',
    http: 400,
  },
  API_UNAUTHENTICATED: {
    summary: 'The request carries no valid token.',
    action: 'Pass a token that was issued for this API and has not been revoked.',
    retry: 'no',
    http: 401,
  },
  API_FORBIDDEN: {
    summary: 'The token does not permit this.',
    action: 'Use a token with a role that may do it.',
    retry: 'no',
    http: 403,
  },
  API_NOT_FOUND: {
    summary: 'There is nothing at this address.',
    action: 'Compare the path with the API description.',
    retry: 'no',
    http: 404,
  },
  API_BODY_TOO_LARGE: {
    summary: 'The request body, or one line of it, is larger than the limit.',
    action: 'Send less at once.',
    retry: 'no',
    http: 413,
  },
  API_MEDIA_TYPE_UNSUPPORTED: {
    summary: 'The request body has a media type that is not understood here.',
    action: 'Send application/json, or application/x-ndjson where the API description says so.',
    retry: 'no',
    http: 415,
  },
  API_INTERNAL: {
    summary: 'The API failed for a reason of its own.',
    action: 'Look for the request id in the log of the API and report what it says.',
    retry: 'later',
    http: 500,
  },
});
