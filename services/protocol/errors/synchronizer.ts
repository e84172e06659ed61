import { defineErrors } from './define.ts';

/** The synchronizer, as the other programs of its site see it. */
export const synchronizerErrors = defineErrors({
  SYNCHRONIZER_UNREACHABLE: {
    summary: "This site's synchronizer does not run or does not answer: nothing is replicated.",
    action: 'See why it stopped in its log; `dualhome site start` starts it again by itself.',
    retry: 'later',
    http: 503,
  },
});
