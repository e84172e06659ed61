import { defineErrors } from './define.ts';

/** Starting and stopping of programs. */
export const lifecycleErrors = defineErrors({
  LIFECYCLE_STOP_TIMEOUT: {
    summary: 'A program did not stop in time and was ended.',
    action:
      'Nothing is lost: every program is safe to kill. Report the part named in the log if it happens again.',
    retry: 'yes',
    http: 500,
  },
});
