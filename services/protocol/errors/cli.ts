import { defineErrors } from './define.ts';

/** The dualhome command itself. */
export const cliErrors = defineErrors({
  CLI_USAGE: {
    summary: 'The command line cannot be understood.',
    action: 'Add --help to the command to see what it takes.',
    retry: 'no',
    http: 400,
  },
  CLI_INTERRUPTED: {
    summary: 'The command was interrupted.',
    action: 'Nothing has to be undone; run it again when it suits.',
    retry: 'yes',
    http: 500,
  },
  DEMO_UNEQUAL: {
    summary: 'A standby database of the tour is not equal to its home.',
    action: 'Keep the data and report it: `dualhome log verify` names the rows.',
    retry: 'no',
    http: 500,
  },
  DEMO_CALL_FAILED: {
    summary: 'A call of the tour was not connected.',
    action:
      "The reason is in the detail; `dualhome dispatch explain` and the fronts' logs say more. On a busy machine, try again.",
    retry: 'yes',
    http: 500,
  },
  DEMO_TIMEOUT: {
    summary: 'A step of the tour did not come to its end in time.',
    action: "Read the logs below the sites' directories; on a busy machine, try again.",
    retry: 'yes',
    http: 500,
  },
});
