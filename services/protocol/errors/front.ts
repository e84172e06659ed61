import { defineErrors } from './define.ts';

/** The front, as the api meets it. */
export const frontErrors = defineErrors({
  FRONT_UNREACHABLE: {
    summary: "This site's front does not run or does not answer: no device is served here.",
    action: 'See why it stopped in its log; `dualhome site start` starts it again by itself.',
    retry: 'later',
    http: 503,
  },
});
