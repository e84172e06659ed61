import { defineErrors } from './define.ts';

/** Why a processor does not serve. */
export const processorErrors = defineErrors({
  PROCESSOR_STARTING: {
    summary: 'The processor has not read its configuration yet.',
    action: 'Wait a moment. If it lasts, its database does not answer: see `dualhome site status`.',
    retry: 'later',
    http: 503,
  },
  PROCESSOR_DATABASE_SILENT: {
    summary: 'The database of the processor has not answered for some time.',
    action:
      'See why the database stopped in its log. Devices move to their other site meanwhile, and are served here again when it answers.',
    retry: 'later',
    http: 503,
  },
  PROCESSOR_STANDBY_UNPROVEN: {
    summary:
      "The copy of the peer's configuration was never proven equal, so the peer's devices are not served.",
    action: 'Fill it with `dualhome pair bootstrap`; it is compared afterwards by itself.',
    retry: 'later',
    http: 503,
  },
});
