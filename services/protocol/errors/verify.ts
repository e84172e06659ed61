import { defineErrors } from './define.ts';

/** Comparing both copies of a site's configuration. */
export const verifyErrors = defineErrors({
  VERIFY_DIFFERENT: {
    summary: 'The copy at the peer is not what this site has at the same seq.',
    action:
      'See the rows named (`dualhome jobs show`), keep both databases until the cause is known, then make the copy anew with `dualhome resync`.',
    retry: 'no',
    http: 500,
  },
  VERIFY_BUSY: {
    summary: 'This site is already comparing its copy with the peer.',
    action: 'None: it is tried again.',
    retry: 'later',
    http: 409,
  },
  VERIFY_LOST: {
    summary: 'The comparison was given up at the peer: it took too long, or the link went down.',
    action: 'None: it is tried again.',
    retry: 'yes',
    http: 409,
  },
  VERIFY_NOT_THERE: {
    summary: 'The copy is not at the seq at which it was to be compared, or at that seq has another history.',
    action: 'None where it repeats only now and then; else see the alarms about this peer.',
    retry: 'later',
    http: 409,
  },
});
